/**
 * The place in each scene where the writer was: the line at the top of the window, and the line
 * with the cursor. The scene opens there again.
 */

import { find, findAll } from "../dom.js";

const PREFIX = "nothing-gpt/place/";
const SAVE_DELAY = 250; // milliseconds

/**
 * A line at its distance from the top of the window, and the line with the cursor if one has it.
 *
 * @typedef {{ line: number, top: number, focused: number | null }} Place
 */

/**
 * Forget the place in a scene.
 *
 * @param {string} scene Its id.
 */
export function removePlace(scene) {
  localStorage.removeItem(PREFIX + scene);
}

/** The place in the open scene. */
export class ScenePlace {
  /** @param {HTMLElement} list The lines. */
  constructor(list) {
    this.list = list;
    /** The scene that the place is in; empty while none is drawn. */
    this.scene = "";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    history.scrollRestoration = "manual"; // the browser would scroll before there are lines
  }

  listen() {
    const saveSoon = () => (this.timer ??= setTimeout(() => this.save(), SAVE_DELAY));
    addEventListener("scroll", saveSoon, { passive: true });
    this.list.addEventListener("focusin", saveSoon);
    addEventListener("pagehide", () => this.save());
  }

  /** Keep the place; at the top of the page there is none. */
  save() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.scene) return;
    const place = this.#read();
    try {
      if (place) localStorage.setItem(PREFIX + this.scene, JSON.stringify(place));
      else removePlace(this.scene);
    } catch {
      // A browser without room says so where words are concerned.
    }
  }

  /** @returns {Place | null} */
  #read() {
    const focused = document.activeElement?.closest(".lines [data-index]");
    const row = focused instanceof HTMLElement ? Number(focused.dataset.index) : null;
    if (!scrollY && row === null) return null;
    const top = findTopRow(this.list.children);
    if (!top) return null;
    return {
      line: Number(top.dataset.index),
      top: Math.round(top.getBoundingClientRect().top),
      focused: row,
    };
  }

  /** Leave the scene, whose lines are replaced now. */
  leave() {
    this.save();
    this.scene = "";
  }

  /**
   * Go to where the writer was in a scene that was just drawn.
   *
   * @param {string} scene Its id.
   * @param {{ focuses: boolean }} options Whether the cursor goes to its line too.
   */
  restore(scene, { focuses }) {
    this.scene = scene;
    const place = readPlace(scene);
    const rows = findAll(this.list, ":scope > [data-index]");
    const row = place && rows[Math.min(place.line, rows.length - 1)];
    if (row) {
      const focused = place.focused === null ? undefined : rows[place.focused];
      if (focused && focuses) find(focused, ".words").focus({ preventScroll: true });
      scrollBy(0, row.getBoundingClientRect().top - place.top);
    } else {
      scrollTo(0, 0);
    }
    document.dispatchEvent(new CustomEvent("room:placed"));
  }
}

/**
 * Find the first row that reaches into the window. Rows are in order, so few are measured.
 *
 * @param {HTMLCollection} rows
 * @returns {HTMLElement | null}
 */
function findTopRow(rows) {
  let [first, end] = [0, rows.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if (rows[middle].getBoundingClientRect().bottom > 0) end = middle;
    else first = middle + 1;
  }
  for (let row = rows[first]; row; row = /** @type {Element} */ (row.nextElementSibling)) {
    if (row instanceof HTMLElement && row.dataset.index) return row;
  }
  return null;
}

/**
 * @param {string} scene
 * @returns {Place | null}
 */
function readPlace(scene) {
  try {
    const place = JSON.parse(localStorage.getItem(PREFIX + scene) ?? "null");
    return Number.isInteger(place?.line) && Number.isFinite(place.top) ? place : null;
  } catch {
    return null;
  }
}
