/**
 * The alternatives of a passage, shown in its place to flip through.
 */

import { closestTarget, createElement, find, findAll, isolateText } from "../dom.js";
import { readRow } from "../script_row.js";

/** @import { Entry } from "../scene_log.js" */
/** @import { Deed } from "../outbox.js" */

/**
 * Alternatives of the entries `was` from `index` on, in `lines`. `ranked` is null while they are
 * being written.
 *
 * @typedef {object} AlternativesValue
 * @property {number} index
 * @property {Entry[]} was
 * @property {Entry[][]} lines
 * @property {boolean | null} [ranked]
 */

/** @param {Entry} entry */
const readWords = ({ speaker = null, text }) => ({ speaker, text });

/** @param {unknown} value */
const toKey = (value) => JSON.stringify(value);

/** Shows one alternative at a time. */
export class Alternatives {
  /**
   * @param {HTMLElement} list The list of the script's lines.
   * @param {(deed: Deed) => void} send
   */
  constructor(list, send) {
    this.list = list;
    this.send = send;
    /** @type {AlternativesValue | null} */
    this.value = null;
    /** Which one is shown, from 1; 0 is the passage as it was. */
    this.at = 0;
    /** Whether the writer has flipped. */
    this.flipped = false;
    const label = { role: "group", "aria-label": "Alternatives" };
    this.words = createElement("div", { "aria-live": "polite" });
    this.count = createElement("span", {});
    this.keep = createButton("keep", "Keep");
    const controls = createElement("div", { class: "flip" });
    controls.append(
      createButton("previous", "\u2039", "The one before"),
      this.count,
      createButton("next", "\u203a", "The next one"),
      this.keep,
      createButton("leave", "As it was"),
    );
    this.item = createElement("li", { class: "alternatives", ...label }, this.words, controls);
    this.item.addEventListener("click", (event) => this.#handleClick(event));
    this.item.addEventListener("keydown", (event) => this.#handleKey(event));
    document.addEventListener("room:alternatives", (event) => {
      if (event instanceof CustomEvent) this.show(event.detail);
    });
  }

  /** @param {AlternativesValue | null} value */
  show(value) {
    if (!value && !this.value) return;
    const shown = this.value?.lines[this.at - 1];
    const wasDone = this.value?.ranked ?? null;
    this.value = value;
    if (!value) {
      this.at = 0;
      this.flipped = false;
    } else if (this.flipped && shown) {
      // Ranking has moved the one that the writer looks at.
      this.at = 1 + value.lines.findIndex((each) => toKey(each) === toKey(shown));
    } else if (!this.flipped && (value.ranked ?? null) !== null && value.lines.length) {
      this.at = 1;
    }
    this.place();
    const isDone = value && (value.ranked ?? null) !== null && wasDone === null;
    if (isDone && document.activeElement === document.body) this.keep.focus();
  }

  /** Put the alternative into its place, after the script was drawn too. */
  place() {
    const { value, item } = this;
    if (!value && !item.isConnected) return;
    for (const row of findAll(this.list, ".replaced")) row.classList.remove("replaced");
    const rows = value && this.#findRows(value);
    if (!value || !rows) {
      item.remove();
      return;
    }
    const next = findAll(this.list, ".entry[data-index]")[value.index + rows.length] ?? null;
    if (item.nextElementSibling !== next || !item.isConnected) this.list.insertBefore(item, next);
    if (this.at) for (const row of rows) row.classList.add("replaced");
    this.#draw(value);
  }

  /**
   * Find the rows of the passage.
   *
   * @param {AlternativesValue} value
   * @returns {HTMLElement[] | null} Null if they have changed.
   */
  #findRows({ index, was }) {
    const rows = findAll(this.list, ".entry[data-index]").slice(index, index + was.length);
    const same = toKey(rows.map(readRow)) === toKey(was.map(readWords));
    return same ? rows : null;
  }

  /** @param {AlternativesValue} value */
  #draw({ lines, ranked = null, was }) {
    const shown = this.at ? lines[this.at - 1] : [];
    this.words.replaceChildren(...shown.map((entry) => this.#createRow(entry)));
    const writing = ranked === null ? "writing \u2026 " : "";
    const nothing = was.length ? "as it was" : "nothing";
    const place = this.at ? `${this.at} of ${lines.length}` : `${nothing}, ${lines.length} others`;
    this.count.textContent = writing + place;
    this.keep.hidden = ranked === null;
  }

  /** @param {Entry} entry */
  #createRow({ speaker, text }) {
    const name = createElement("span", { class: "name" }, isolateText(speaker ?? ""));
    const words = createElement("span", { class: "words" }, isolateText(text));
    const known = findAll(this.list, ".entry .name").find((each) => each.textContent === speaker);
    const colour = /speaker-\d/.exec(known?.parentElement?.className ?? "")?.[0] ?? "";
    return createElement("div", { class: `entry ${speaker ? colour : "stage"}` }, name, words);
  }

  /** @param {number} step */
  #flip(step) {
    if (!this.value) return;
    const count = this.value.lines.length + 1;
    this.at = (this.at + step + count) % count;
    this.flipped = true;
    this.place();
  }

  /** @param {MouseEvent} event */
  #handleClick(event) {
    const button = closestTarget(event, "button");
    if (!button || !this.value) return;
    if (button.classList.contains("previous")) this.#flip(-1);
    if (button.classList.contains("next")) this.#flip(1);
    const { index, was, lines } = this.value;
    const isKept = button.classList.contains("keep");
    if (button.classList.contains("leave") || (isKept && !this.at)) {
      this.send({ deed: "choose", index: -1 });
    } else if (isKept) {
      this.send({ deed: "replace", index, was: was.map(readWords), now: lines[this.at - 1] });
    }
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1 });
    const isWriting = (this.value?.ranked ?? null) === null;
    if (event.key in steps) this.#flip(steps[event.key]);
    else if (event.key === "Escape" && !isWriting) find(this.item, ".leave").click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * @param {string} kind
 * @param {string} text
 * @param {string} [label]
 */
function createButton(kind, text, label) {
  const attributes = { type: "button", class: kind, ...(label && { "aria-label": label }) };
  return createElement("button", attributes, text);
}
