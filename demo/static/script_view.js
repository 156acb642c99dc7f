/**
 * The list of the script's lines.
 */

import { findAll } from "./dom.js";
import { colourSpeakers, createRow, numberRow, originOf } from "./script_row.js";

/** @import { Entry } from "./scene_log.js" */

/**
 * What the lines depend on besides the entries.
 *
 * @typedef {object} DrawOptions
 * @property {string[]} cast
 * @property {Set<string>} quoted Texts found word for word in the training scripts.
 * @property {boolean} editable
 */

/** Draws the entries of a scene. */
export class ScriptView {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    /**
     * For each row, what it was drawn from.
     *
     * @type {string[]}
     */
    this.drawn = [];
  }

  /**
   * Draw the rows that differ. The others stay, so that the cursor keeps its place while new
   * lines arrive.
   *
   * @param {Entry[]} entries
   * @param {DrawOptions} options
   */
  draw(entries, { cast, quoted, editable }) {
    const colours = colourSpeakers(cast, entries);
    const wanted = entries.map((entry) => ({
      entry,
      colour: colours.get(entry.speaker ?? ""),
      origin: originOf(entry, quoted),
    }));
    const keys = wanted.map(({ entry, colour, origin }) =>
      JSON.stringify([entry, colour, origin]),
    );
    const rows = this.rows;
    const [start, end] = this.#countUnchanged(keys, rows.length);
    for (const row of rows.slice(start, rows.length - end)) row.remove();
    const next = rows[rows.length - end] ?? null;
    for (const { entry, colour, origin } of wanted.slice(start, keys.length - end)) {
      this.list.insertBefore(createRow(entry, colour, origin), next);
    }
    this.drawn = keys;
    this.rows.forEach(numberRow);
    // While a model writes, words can be edited, but lines keep their places.
    this.list.classList.toggle("fixed", !editable);
  }

  /** The rows of the script without an unfinished new line. */
  get rows() {
    return findAll(this.list, ":scope > .entry:not(.draft)");
  }

  /**
   * Count the rows that stay as they are, from the start and from the end.
   *
   * @param {string[]} keys
   * @param {number} rows
   */
  #countUnchanged(keys, rows) {
    const most = Math.min(keys.length, rows);
    let start = 0;
    while (start < most && keys[start] === this.drawn[start]) start++;
    let end = 0;
    while (end < most - start && keys.at(-1 - end) === this.drawn[rows - 1 - end]) end++;
    return [start, end];
  }

  /** Make the next drawing replace every row, to discard an edit that the server refused. */
  reset() {
    this.drawn = [];
  }
}
