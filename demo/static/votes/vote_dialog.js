/**
 * The dialog with the writer's votes: see them, delete them, save them, or keep none.
 */

import { closestTarget, createElement, find, isolateText } from "../dom.js";
import { saveFile } from "../file_text.js";
import { askAgain, isConfirmed } from "../second_click.js";

/** @import { Message, Vote, VoteStore } from "./vote_store.js" */

const MOST_SHOWN = 50;

/** Shows the votes. */
export class VoteDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {VoteStore} store
   * @param {(message: string) => void} report Shows a message to the writer.
   */
  constructor(dialog, store, report) {
    this.dialog = dialog;
    this.store = store;
    this.report = report;
    this.list = find(dialog, "ul");
    const keep = dialog.querySelector("input");
    if (!(keep instanceof HTMLInputElement)) throw new Error("the dialog has no switch");
    this.keep = keep;
    keep.addEventListener("change", () => (store.isOn = keep.checked));
    dialog.addEventListener("click", (event) => this.#try(this.#handleClick(event)));
  }

  /**
   * Keep new votes.
   *
   * @param {Vote[]} votes
   */
  add(votes) {
    this.#try(this.store.add(votes));
  }

  open() {
    this.keep.checked = this.store.isOn;
    this.#try(this.#draw());
    this.dialog.showModal();
  }

  /** @param {Promise<void>} work */
  #try(work) {
    work.catch((error) => this.report(`This browser cannot keep votes (${error}).`));
  }

  async #draw() {
    const votes = await this.store.list();
    const rows = votes.slice(0, MOST_SHOWN).map(createRow);
    const hidden = votes.length - rows.length;
    const more = hidden ? [createElement("li", { class: "hint" }, `and ${hidden} older ones`)] : [];
    this.list.replaceChildren(...rows, ...more);
    const count = votes.length === 1 ? "1 vote" : `${votes.length || "No"} votes`;
    find(this.dialog, ".count").textContent = `${count} in this browser`;
    for (const name of ["save", "clear"]) {
      const button = find(this.dialog, `.${name}`);
      if (button instanceof HTMLButtonElement) button.disabled = !votes.length;
    }
    askAgain(find(this.dialog, ".clear"), "Delete all");
  }

  /** @param {MouseEvent} event */
  async #handleClick(event) {
    const id = closestTarget(event, "li")?.dataset.vote;
    const clear = closestTarget(event, ".clear");
    if (closestTarget(event, ".close")) this.dialog.close();
    if (closestTarget(event, ".save")) {
      const lines = (await this.store.list()).map((vote) => `${JSON.stringify(vote)}\n`);
      saveFile("votes.jsonl", lines.join(""));
    }
    if (closestTarget(event, ".remove") && id) {
      await this.store.remove(id);
      await this.#draw();
    }
    if (clear && isConfirmed(clear)) {
      await this.store.clear();
      await this.#draw();
    }
  }
}

/** @param {Vote} vote */
function createRow({ id, kind, kept, chosen, rejected, chosen_by, rejected_by }) {
  const format = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
  const time = kept ? new Date(kept).toLocaleString([], format) : "";
  const remove = { type: "button", class: "remove", "aria-label": "Delete this vote" };
  return createElement(
    "li",
    { "data-vote": id },
    createElement("small", {}, `${kind}, ${time}`),
    createElement("button", remove, "Delete"),
    createSide("chosen", chosen_by.model, chosen),
    createSide("rejected", rejected_by.model, rejected),
  );
}

/**
 * @param {string} kind
 * @param {string} model
 * @param {Message[]} messages
 */
function createSide(kind, model, [{ content }]) {
  const about = createElement("small", {}, `${kind}: `, isolateText(model));
  return createElement("p", { class: kind }, about, isolateText(content));
}
