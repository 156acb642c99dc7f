/**
 * The list of the script's lines.
 */

import { closestTarget, findAll } from "./dom.js";
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
    /**
     * The row that the Tab key stops at.
     *
     * @type {HTMLElement | undefined}
     */
    this.tabStop = undefined;
    list.addEventListener("focusin", (event) => {
      const row = closestTarget(event, ".entry:not(.draft)");
      if (row) this.setTabStop(row);
    });
  }

  /**
   * Make a row the only one that the Tab key stops at; the arrow keys lead to the others.
   *
   * @param {HTMLElement | undefined} row
   */
  setTabStop(row) {
    setTabIndex(this.tabStop, -1);
    setTabIndex(row, 0);
    this.tabStop = row;
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
    // Lines that were inserted before an open new line stay before it.
    const draft = this.list.querySelector(":scope > .draft");
    const isHere = draft instanceof HTMLElement && draft.nextElementSibling === next;
    const before = isHere ? Number(draft.dataset.before) : 0;
    for (const [i, { entry, colour, origin }] of wanted.slice(start, keys.length - end).entries()) {
      const row = createRow(entry, colour, origin);
      this.list.insertBefore(row, start + i < before ? draft : next);
    }
    this.drawn = keys;
    this.rows.forEach(numberRow);
    if (!this.tabStop?.isConnected) {
      this.setTabStop(this.rows[Math.min(Number(this.tabStop?.dataset.index ?? 0), keys.length - 1)]);
    }
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

/**
 * @param {HTMLElement | undefined} row
 * @param {number} index
 */
function setTabIndex(row, index) {
  for (const field of row ? findAll(row, ".name, .words, .more") : []) field.tabIndex = index;
}
