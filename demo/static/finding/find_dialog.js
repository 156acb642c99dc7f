/**
 * The dialog that finds and replaces a text, and gives a character another name.
 */

import { closestTarget, createElement, find, findInput, isolateText } from "../dom.js";
import { findText } from "./text_search.js";

/** @import { Deed } from "../outbox.js" */
/** @import { Entry } from "../scene_log.js" */
/** @import { FoundLine } from "./text_search.js" */

const MOST_SHOWN = 30;

/** The dialog. */
export class FindDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {{ send: (deed: Deed) => void, goTo: (index: number) => void }} listener Gets the
   *   actions, and the line to go to.
   */
  constructor(dialog, { send, goTo }) {
    this.dialog = dialog;
    this.send = send;
    /** @type {Entry[]} */
    this.entries = [];
    this.find = findInput(dialog, "[name=find]");
    dialog.addEventListener("input", () => this.#draw());
    dialog.addEventListener("submit", (event) => this.#submit(event));
    dialog.addEventListener("click", (event) => {
      const line = closestTarget(event, "[data-found]");
      if (line || closestTarget(event, ".close")) dialog.close();
      if (line) goTo(Number(line.dataset.found));
    });
  }

  /**
   * @param {Entry[]} entries The scene.
   * @param {string[]} names Everyone in it.
   */
  open(entries, names) {
    this.entries = entries;
    const options = names.map((name) => createElement("option", {}, name));
    find(this.dialog, "select").replaceChildren(...options);
    this.#draw();
    this.dialog.showModal();
    this.find.select();
  }

  get #query() {
    const [match_case, whole_words] = ["match_case", "whole_words"].map(
      (name) => findInput(this.dialog, `[name=${name}]`).checked,
    );
    return { find: this.find.value, match_case, whole_words };
  }

  /** List the lines with the text. */
  #draw() {
    const found = findText(this.entries, this.#query);
    const places = found.reduce((sum, { parts }) => sum + (parts.length - 1) / 2, 0);
    const shown = found.slice(0, MOST_SHOWN).map((line) => this.#createLine(line));
    const hidden = found.length - shown.length;
    const more = hidden ? [createElement("li", { class: "hint" }, `and ${hidden} more lines`)] : [];
    find(this.dialog, "ul").replaceChildren(...shown, ...more);
    const count = `${places} ${places === 1 ? "place" : "places"} in ${found.length}`;
    find(this.dialog, ".count").textContent = this.find.value
      ? `${count} ${found.length === 1 ? "line" : "lines"}`
      : "";
    const replace = find(this.dialog, ".replace");
    if (replace instanceof HTMLButtonElement) replace.disabled = !places;
  }

  /** @param {FoundLine} line */
  #createLine({ index, parts }) {
    const { speaker } = this.entries[index];
    const text = parts.map((part, i) => (i % 2 ? createElement("mark", {}, part) : part));
    const name = createElement("b", {}, isolateText(speaker ?? ""));
    const words = createElement("bdi", { dir: "auto" }, ...text);
    const button = createElement("button", { type: "button", "data-found": index }, name, words);
    return createElement("li", {}, button);
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    this.dialog.close();
    if (closestTarget(event, ".renaming")) {
      const select = this.dialog.querySelector("select");
      const old = select instanceof HTMLSelectElement ? select.value : "";
      const name = findInput(this.dialog, "[name=new]");
      const in_words = findInput(this.dialog, "[name=in_words]").checked;
      this.send({ deed: "rename", old, new: name.value, in_words });
      name.value = "";
    } else {
      const replacement = findInput(this.dialog, "[name=replacement]").value;
      this.send({ deed: "substitute", how: { ...this.#query, replacement } });
    }
  }
}
