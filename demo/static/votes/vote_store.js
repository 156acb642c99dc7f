/**
 * The writer's votes, kept in this browser's IndexedDB: they must not use up the room that
 * localStorage has for scenes.
 */

/** @typedef {{ role: string, content: string }} Message */
/** @typedef {{ model: string, seed: number, base?: string }} Writer */

/**
 * A preference between two continuations, as in demo/session/votes.py. `kept` is when it was kept.
 *
 * @typedef {object} Vote
 * @property {string} id
 * @property {string} kind
 * @property {string} show
 * @property {Message[]} prompt
 * @property {Message[]} chosen
 * @property {Message[]} rejected
 * @property {Writer} chosen_by
 * @property {Writer} rejected_by
 * @property {string} [kept]
 */

const OFF = "nothing-gpt/votes-off";

/** The stored votes, and the switch. */
export class VoteStore {
  constructor() {
    /**
     * Votes that this page has received. The server repeats its messages, and a deleted vote must
     * not come back.
     *
     * @type {Set<string>}
     */
    this.received = new Set();
  }

  /** Whether votes are kept. */
  get isOn() {
    return localStorage.getItem(OFF) === null;
  }

  set isOn(on) {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  }

  /**
   * Keep votes, if the switch is on.
   *
   * @param {Vote[]} votes
   */
  async add(votes) {
    const added = votes.filter(({ id }) => !this.received.has(id));
    for (const { id } of added) this.received.add(id);
    if (!this.isOn || !added.length) return;
    const kept = new Date().toISOString();
    await this.#use("readwrite", (store) => added.map((vote) => store.put({ ...vote, kept })).at(-1));
  }

  /**
   * List all votes, the newest first.
   *
   * @returns {Promise<Vote[]>}
   */
  async list() {
    /** @type {Vote[]} */
    const votes = await this.#use("readonly", (store) => store.getAll());
    return votes.sort((a, b) => (b.kept ?? "").localeCompare(a.kept ?? ""));
  }

  /** @param {string} id */
  async remove(id) {
    await this.#use("readwrite", (store) => store.delete(id));
  }

  async clear() {
    await this.#use("readwrite", (store) => store.clear());
  }

  /**
   * Use the store in one transaction.
   *
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest | undefined} request
   * @returns {Promise<any>} The result of the request.
   */
  async #use(mode, request) {
    const database = await openDatabase();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction("votes", mode);
        const asked = request(transaction.objectStore("votes"));
        transaction.oncomplete = () => resolve(asked?.result);
        transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("nothing-gpt", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("votes", { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
