/**
 * The question before an action that replaces more than a model's last lines.
 */

import { find } from "./dom.js";

/** @import { Deed } from "./outbox.js" */
/** @import { Entry } from "./scene_log.js" */

/**
 * Find the entries that an action takes out of the scene, where that is worth a question: lines by
 * hand, or those of more than one continuation.
 *
 * @param {Deed} fields
 * @param {Entry[]} entries
 * @returns {Entry[]}
 */
function findLost({ deed, index }, entries) {
  if (deed === "surprise") return entries;
  if (deed !== "retake" || typeof index !== "number") return [];
  const lost = entries.slice(index);
  const takes = new Set(lost.map(({ take }) => JSON.stringify(take)));
  return takes.size > 1 || lost.some(isByHand) ? lost : [];
}

/** @param {Entry} entry */
const isByHand = ({ take, edited }) => !take || Boolean(edited);

/**
 * Say what an action takes out of the scene.
 *
 * @param {Deed} fields
 * @param {Entry[]} entries
 * @returns {string} Empty if it needs no question.
 */
export function describeLoss(fields, entries) {
  const lost = findLost(fields, entries);
  if (!lost.length) return "";
  const count = lost.length === 1 ? "1 line" : `${lost.length} lines`;
  const byHand = lost.filter(isByHand).length;
  const written = byHand ? `, ${byHand} of them written or changed by hand` : "";
  const replaced =
    fields.deed === "surprise" ? "A new beginning replaces" : "New lines will replace";
  return `${replaced} ${count}${written}. They are kept as a version: Undo and Versions bring them back.`;
}

/** The dialog with the question. */
export class LossDialog {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    /** @type {() => void} */
    this.goOn = () => {};
    find(dialog, ".cancel").addEventListener("click", () => dialog.close());
    find(dialog, ".go-on").addEventListener("click", () => {
      dialog.close();
      this.goOn();
    });
  }

  /**
   * Ask, and go on if the writer agrees.
   *
   * @param {string} text
   * @param {() => void} goOn
   */
  ask(text, goOn) {
    find(this.dialog, "p").textContent = text;
    this.goOn = goOn;
    if (!this.dialog.open) this.dialog.showModal();
  }
}
