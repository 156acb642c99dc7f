/**
 * The choice of what a line is in a screenplay.
 */

import { find, findInput } from "../dom.js";

/** @import { Deed } from "../outbox.js" */
/** @import { Entry } from "../scene_log.js" */

/** The dialog. */
export class ElementDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {(deed: Deed) => void} send
   */
  constructor(dialog, send) {
    this.dialog = dialog;
    this.index = 0;
    /** @type {Entry} */
    this.entry = { text: "" };
    find(dialog, ".cancel").addEventListener("click", () => dialog.close());
    find(dialog, "form").addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close();
      const { speaker = null, text } = this.entry;
      const form = findInput(dialog, "input:checked").value;
      send({ deed: "convert", index: this.index, was: { speaker, text }, form });
    });
  }

  /**
   * @param {number} index
   * @param {Entry} entry
   */
  open(index, entry) {
    this.index = index;
    this.entry = entry;
    find(this.dialog, ".about").textContent = entry.text;
    const form = entry.form ?? (entry.speaker ? "speech" : "direction");
    const chosen = findInput(this.dialog, `[value=${form}]`);
    chosen.checked = true;
    this.dialog.showModal();
    chosen.focus();
  }
}
