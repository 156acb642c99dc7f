/**
 * The list below the script of words that are not in the scene yet: those that wait for the
 * server, and those that it refused.
 */

import { closestTarget, createElement, find, isolateText } from "./dom.js";

/** @import { Outbox, Action, Deed } from "./outbox.js" */

/** @typedef {{ speaker: string, text: string }} Words */

/**
 * Read the words that an action brings into the scene.
 *
 * @param {Deed} fields
 * @returns {Words | null} Null if it brings none.
 */
export function readWords({ deed, speaker, text, was, now }) {
  if (deed === "write" || deed === "insert") return { speaker: speaker ?? "", text };
  if (deed === "revise" && now.text !== was.text) {
    return { speaker: now.speaker ?? "", text: now.text };
  }
  return null;
}

/**
 * Tell whether the words of an action are to be seen in the list. A changed line itself shows its
 * new words, until the page is loaded anew.
 *
 * @param {Action} action
 * @param {boolean} isSlow
 */
const isListed = ({ seen, fields }, isSlow) =>
  Boolean(readWords(fields)?.text.trim()) && (fields.deed !== "revise" || isSlow || seen < 0);

/** Draws the list. */
export class WaitingList {
  /**
   * @param {HTMLElement} root
   * @param {Outbox} outbox
   * @param {{ take: (words: Words) => void, changed: () => void }} listener Gets refused words
   *   that the writer takes into the composer, and is told when the refused words change.
   */
  constructor(root, outbox, listener) {
    this.section = find(root, ".waiting");
    this.outbox = outbox;
    this.listener = listener;
    /** @type {Words[]} */
    this.refused = [];
    this.section.addEventListener("click", (event) => this.#handleClick(event));
  }

  /**
   * Keep words on the page that the server refused.
   *
   * @param {Words} words
   */
  keep(words) {
    this.refused.push(words);
    this.listener.changed();
    this.draw();
  }

  draw() {
    const { actions, isSlow } = this.outbox;
    const listed = actions.filter((action) => isListed(action, isSlow));
    const rows = [
      ...listed.map(({ fields }) => createRow(readWords(fields), "waiting")),
      ...this.refused.map((words, index) => createRefusedRow(words, index)),
    ];
    find(this.section, "ol").replaceChildren(...rows);
    const hint = isSlow
      ? "The server does not answer. What you write is kept here, and is sent when it does."
      : "";
    const status = find(this.section, ".hint");
    if (status.textContent !== hint) status.textContent = hint;
    this.section.hidden = !rows.length && !hint;
  }

  /** @param {MouseEvent} event */
  #handleClick(event) {
    const button = closestTarget(event, "[data-refused]");
    if (!button) return;
    const [words] = this.refused.splice(Number(button.dataset.refused), 1);
    if (button.classList.contains("take-back")) this.listener.take(words);
    this.listener.changed();
    this.draw();
  }
}

/**
 * @param {Words | null} words
 * @param {string} mark
 */
function createRow(words, mark) {
  const name = createElement("span", { class: "name" }, isolateText(words?.speaker ?? ""));
  const text = createElement("span", { class: "words" }, isolateText(words?.text ?? ""));
  const about = createElement("span", { class: "mark" }, mark);
  return createElement("li", { class: `entry ${mark}` }, name, text, about);
}

/**
 * @param {Words} words
 * @param {number} index
 */
function createRefusedRow(words, index) {
  const row = createRow(words, "refused");
  for (const [kind, label] of [
    ["take-back", "Into the composer"],
    ["discard", "Discard"],
  ]) {
    const attributes = { type: "button", class: kind, "data-refused": index };
    row.append(createElement("button", attributes, label));
  }
  return row;
}
