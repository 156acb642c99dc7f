/**
 * The page's copy of the scene, which follows the messages of the server.
 *
 * The server sends what is new as patches, each with a number. A scene is sent to the server only
 * when it is opened; actions on it send their own fields.
 */

import { SceneLog } from "./scene_log.js";
import { randomId } from "./random_id.js";

/** @import { HistoryLog, HistoryPatch } from "./scene_log.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { SceneStorage, StoredScene } from "./storage.js" */

/** @import { Guidance } from "./rewriting/rewrite_dialog.js" */
/** @import { Vote } from "./votes/vote_store.js" */

/** @typedef {{ premise: string, speaker: string, text: string }} Opening */

/**
 * A version to switch to: its number of lines, and its last entries that the open version has
 * not, as pairs of speaker and text. It is the last of a branch, or has a name.
 *
 * @typedef {object} Branch
 * @property {number} version
 * @property {number} lines
 * @property {[string, string][]} told
 * @property {boolean} current
 * @property {string} name What the writer called it.
 */

/**
 * What the page needs besides the scene.
 *
 * @typedef {object} Heading
 * @property {string[]} cast
 * @property {Opening[]} openings
 * @property {Branch[]} branches
 * @property {boolean} editable
 * @property {Guidance} guidance
 */

/**
 * A patch with its number. `shown` is how many entries are visible, `memory` the first of them that
 * the model reads, `acted` the number of the last
 * action that was done or refused, `refused` how many were refused so far, `quoted` the new texts
 * found in the training scripts.
 *
 * @typedef {Required<HistoryPatch> & {
 *   count: number, shown: number, memory: number, acted: number, refused: number, quoted: string[],
 *   heading?: Heading, votes?: Vote[],
 * }} Patch
 */

/**
 * A message of the server: the last patches of a run. A run begins when a scene is opened.
 *
 * @typedef {{ run: string, patches: Patch[] }} Message
 */

/**
 * A scene that was sent to the server and not yet confirmed. `notice` is shown once it is.
 * `resumed` is the open scene, sent to a server that does not have it.
 *
 * @typedef {object} PendingScene
 * @property {string} run
 * @property {StoredScene | null} scene
 * @property {Partial<HistoryLog> | null} history
 * @property {string} notice
 * @property {boolean} resumed
 */

/**
 * What the page does on an update: another scene was opened, an action was refused, the writer has
 * preferred something, or the scene has changed.
 *
 * @typedef {object} SyncListener
 * @property {(notice: string) => void} opened
 * @property {() => void} refused
 * @property {(votes: Vote[]) => void} voted
 * @property {(log: SceneLog, shown: number, memory: number) => void} updated
 */

const RESEND_DELAY = 4000; // milliseconds

/** The open scene and its place in the server's messages. */
export class PageSync {
  /**
   * @param {(event: string, fields: object) => void} trigger Sends an event to the server.
   * @param {SceneStorage} storage
   * @param {Outbox} outbox
   * @param {SyncListener} listener
   */
  constructor(trigger, storage, outbox, listener) {
    this.trigger = trigger;
    this.storage = storage;
    this.outbox = outbox;
    this.listener = listener;
    /** @type {SceneLog | null} */
    this.log = null;
    /** @type {string | null} */
    this.run = null;
    /** The number of the last patch that was applied. */
    this.count = 0;
    this.refused = 0;
    /** Whether the server has the whole scene from this page and does not send it. */
    this.serverHasScene = false;
    /** @type {Heading} */
    this.heading = { cast: [], openings: [], branches: [], editable: false, guidance: "none" };
    /** @type {Set<string>} */
    this.quoted = new Set();
    /** @type {PendingScene | null} */
    this.pending = null;
  }

  /**
   * Send a scene to the server, which then follows it.
   *
   * @param {StoredScene | null} scene Null is a new scene.
   * @param {{ notice?: string, resumed?: boolean, settings?: object | null }} [options] `settings`
   *   are those that this browser has kept.
   */
  send(scene, { notice = "", resumed = false, settings } = {}) {
    const run = randomId();
    const history = scene?.journal ?? null;
    this.pending = { run, scene, history, notice, resumed };
    const message = { run, journal: history, acted: scene?.acted ?? 0, resumed, settings };
    const trigger = () => {
      if (this.pending?.run !== run) return;
      this.trigger("hello", message);
      // The server may not have been ready for the event, or the network was gone.
      setTimeout(trigger, RESEND_DELAY);
    };
    this.outbox.hold();
    trigger();
  }

  /**
   * Hand the open scene over to a server that does not have it.
   *
   * @param {SceneLog} log
   */
  #resume(log) {
    this.send({ ...this.storage.scene, journal: log.history }, { resumed: true });
  }

  /**
   * Apply what is new in a message.
   *
   * @param {Message | null} message
   */
  receive(message) {
    if (!message || !this.#followRun(message.run)) return;
    const missed = message.patches.filter((patch) => patch.count > this.count);
    const last = missed.at(-1);
    if (!last) return;
    if (missed[0].count > this.count + 1) {
      // A message repeats only the last patches; ask for everything.
      this.count = 0;
      this.trigger("again", {});
      return;
    }
    const startsBlank = missed[0].count === 1 && !this.serverHasScene;
    const log = this.log && !startsBlank ? this.log : new SceneLog(null);
    this.log = log;
    this.serverHasScene = false;
    const before = log.at;
    const actedBefore = this.outbox.acted;
    for (const patch of missed) this.#applyPatch(log, patch);
    this.count = last.count;
    this.listener.updated(log, last.shown, last.memory);
    // Save only changes: another tab may have the scene open too.
    const changed = missed.some((patch) => patch.steps.length || patch.extended.length);
    const acted = this.outbox.acted !== actedBefore;
    if (changed || acted || log.at !== before) this.storage.scheduleSave(log);
  }

  /**
   * Tell whether a message belongs to the open scene. Its first message opens the pending scene.
   *
   * @param {string} run
   */
  #followRun(run) {
    const { pending } = this;
    if (run && run === this.run) return true;
    if (pending?.run === run) {
      this.#openPending(pending);
      return true;
    }
    // The server was started again and does not know the scene.
    if (!pending && this.log) this.#resume(this.log);
    return false;
  }

  /** @param {PendingScene} pending */
  #openPending({ run, scene, history, notice, resumed }) {
    this.run = run;
    this.count = 0;
    this.refused = 0;
    this.pending = null;
    this.serverHasScene = true;
    if (!resumed) {
      this.storage.open(scene);
      this.log = new SceneLog(history, scene?.made);
      this.quoted = new Set();
      if (this.outbox.sceneId !== this.storage.scene.id) this.outbox.open();
      this.listener.opened(notice);
    }
    this.outbox.resume(run);
  }

  /**
   * @param {SceneLog} log
   * @param {Patch} patch
   */
  #applyPatch(log, patch) {
    if (patch.heading) this.heading = patch.heading;
    for (const text of patch.quoted) this.quoted.add(text);
    log.apply(patch);
    const refused = patch.refused > this.refused;
    if (refused) this.listener.refused();
    this.refused = patch.refused;
    if (patch.votes) this.listener.voted(patch.votes);
    this.outbox.confirm(patch.acted, refused);
  }
}
