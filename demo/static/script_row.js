/**
 * One line of the script as a row of the list.
 */

import { SPEAKER_COLOURS, createElement, createHiddenText, find } from "./dom.js";

/** @import { Entry } from "./scene_log.js" */

/** @typedef {"model" | "human" | "edited" | "quotation"} Origin */

/**
 * A line as it is on the page; a stage direction has no speaker.
 *
 * @typedef {{ speaker: string | null, text: string }} LineText
 */

/**
 * The mark beside a line: the visible text, and the rest for screen readers.
 *
 * @type {Record<Origin, [string, string]>}
 */
const ORIGIN_LABELS = {
  model: ["", "by the model"],
  human: ["by hand", ""],
  edited: ["edited", "after the model"],
  quotation: ["quotation", "word for word in the training scripts"],
};

/**
 * Number the speakers' colours: first the cast, then guests in the order of their lines.
 *
 * @param {string[]} cast
 * @param {Entry[]} entries
 */
export function colourSpeakers(cast, entries) {
  const guests = entries.flatMap(({ speaker }) => (speaker ? [speaker] : []));
  const names = [...new Set([...cast, ...guests])];
  return new Map(names.map((name, i) => [name, i % SPEAKER_COLOURS]));
}

/**
 * Tell who wrote an entry.
 *
 * @param {Entry} entry
 * @param {Set<string>} quoted
 * @returns {Origin}
 */
export function originOf(entry, quoted) {
  if (!entry.take) return "human";
  if (entry.edited) return "edited";
  return quoted.has(entry.text) ? "quotation" : "model";
}

/**
 * Read a row's line as it is on the page.
 *
 * @param {HTMLElement} row
 * @returns {LineText}
 */
export function readRow(row) {
  return {
    speaker: row.querySelector(".name")?.textContent ?? null,
    text: find(row, ".words").textContent ?? "",
  };
}

/**
 * Create a field of a row.
 *
 * @param {"name" | "words"} kind
 * @param {string} text
 */
export function createField(kind, text) {
  const spellcheck = String(kind === "words");
  const attributes = { class: kind, dir: "auto", role: "textbox", spellcheck };
  return createElement("span", { ...attributes, contenteditable: "plaintext-only" }, text);
}

/**
 * Create the row of an entry.
 *
 * @param {Entry} entry
 * @param {number | undefined} colour
 * @param {Origin} origin
 */
export function createRow(entry, colour, origin) {
  const plain = entry.speaker ? `entry speaker-${colour}` : "entry stage";
  const kind = entry.form ? `${plain} ${entry.form}` : plain;
  const row = createElement("li", { class: kind });
  if (entry.speaker) row.append(createField("name", entry.speaker));
  const [visible, spoken] = ORIGIN_LABELS[origin];
  const title = entry.take
    ? `${entry.take.model}, seed ${entry.take.seed}`
    : "written by a person";
  const hidden = createHiddenText(`${visible && " "}${spoken}`);
  row.append(
    createField("words", entry.text),
    createElement("span", { class: `mark ${origin}`, title }, visible, hidden),
    createElement("button", { type: "button", class: "more", "aria-haspopup": "menu" }, "\u22ef"),
  );
  for (const field of row.querySelectorAll("[role=textbox], .more")) {
    field.setAttribute("tabindex", "-1"); // one row alone is a stop of the Tab key
  }
  return row;
}

/**
 * Give a row its place in the script.
 *
 * @param {HTMLElement} row
 * @param {number} index
 */
export function numberRow(row, index) {
  if (row.dataset.index === String(index)) return;
  row.dataset.index = String(index);
  const name = row.querySelector(".name");
  name?.setAttribute("aria-label", `Who speaks line ${index + 1}`);
  find(row, ".words").setAttribute("aria-label", `Line ${index + 1}`);
  find(row, ".more").setAttribute("aria-label", `What to do with line ${index + 1}`);
}
