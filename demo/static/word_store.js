/**
 * Words that are not in a scene yet, kept in the browser beside it: what waits for the server, and
 * what is being typed. Each tab has its own, under the scene's id and the tab's.
 */

import { randomId } from "./random_id.js";

const PREFIX = "nothing-gpt/words/";
const TAB = "nothing-gpt/tab";

/** The identity of this tab, and whether it is new: a reload keeps the old one. */
function identifyTab() {
  const known = sessionStorage.getItem(TAB);
  const tab = known ?? randomId();
  if (!known) sessionStorage.setItem(TAB, tab);
  return { tab, isNew: !known };
}

/** @param {string} start */
function listKeys(start) {
  const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
  return keys.filter((key) => key.startsWith(start));
}

/**
 * Remove all words beside a scene.
 *
 * @param {string} scene Its id.
 */
export function removeWords(scene) {
  for (const key of listKeys(`${PREFIX}${scene}/`)) localStorage.removeItem(key);
}

/** One kind of words. */
export class WordStore {
  /** @param {"waiting" | "drafts"} kind */
  constructor(kind) {
    this.kind = kind;
    const { tab, isNew } = identifyTab();
    this.tab = tab;
    /** Whether words of tabs that are gone have still to be looked for. */
    this.adopts = isNew;
  }

  /** @param {string} scene */
  #start(scene) {
    return `${PREFIX}${scene}/${this.kind}/`;
  }

  /**
   * Keep this tab's words; null removes them.
   *
   * @param {string} scene
   * @param {unknown} words
   * @throws {DOMException} The storage is full.
   */
  write(scene, words) {
    const key = this.#start(scene) + this.tab;
    if (words === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(words));
  }

  /**
   * Read the words of this tab. A new tab takes over those of others, which are mostly closed.
   *
   * @param {string} scene
   * @returns {any[]} One value for each tab.
   */
  read(scene) {
    const start = this.#start(scene);
    try {
      const keys = this.adopts ? listKeys(start) : [start + this.tab];
      const texts = keys.map((key) => localStorage.getItem(key));
      for (const key of keys) if (key !== start + this.tab) localStorage.removeItem(key);
      return texts.flatMap((text) => (text ? [JSON.parse(text)] : []));
    } catch {
      return []; // no storage, or another program's text
    }
  }
}
