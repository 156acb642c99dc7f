/**
 * What is being typed and was not yet left: kept at every key, and offered again after a reload.
 */

import { WordStore } from "./word_store.js";

/** @import { LineText } from "./script_row.js" */
/** @import { Words } from "./waiting_list.js" */

/**
 * A line being changed: its words before and now, and in which of its fields the cursor is. Or a
 * new line, before the entry `index`.
 *
 * @typedef {object} LineDraft
 * @property {number} index
 * @property {LineText} now
 * @property {LineText} [was]
 * @property {"name" | "words"} [kind]
 */

/**
 * The drafts beside a scene. `direction` has the fields that were typed into, `refused` the words
 * that the server refused, `guidance` how lines are to be rewritten, `beat` what happens
 * next.
 *
 * @typedef {object} SceneDrafts
 * @property {Words} [composer]
 * @property {LineDraft | null} [line]
 * @property {Record<string, string> | null} [direction]
 * @property {Words[]} [refused]
 * @property {string} [guidance]
 * @property {string} [beat]
 */

/** The drafts of the open scene. */
export class Drafts {
  /** @param {() => void} reportFull Says that the storage is full. */
  constructor(reportFull) {
    this.reportFull = reportFull;
    this.store = new WordStore("drafts");
    this.sceneId = "";
    /** @type {SceneDrafts} */
    this.current = {};
  }

  /**
   * Read the drafts beside a scene.
   *
   * @param {string} sceneId
   */
  open(sceneId) {
    this.sceneId = sceneId;
    this.current = this.store.read(sceneId)[0] ?? {};
    this.update({}); // drafts of a tab that is gone are this tab's now
  }

  /**
   * Change some of the drafts.
   *
   * @param {SceneDrafts} changes
   */
  update(changes) {
    this.current = { ...this.current, ...changes };
    const { composer, line, direction, refused, guidance, beat } = this.current;
    const isEmpty =
      !composer?.text && !line && !direction && !refused?.length && !guidance && !beat;
    try {
      this.store.write(this.sceneId, isEmpty ? null : this.current);
    } catch {
      this.reportFull();
    }
  }
}
