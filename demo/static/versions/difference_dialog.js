/**
 * The dialog with two versions side by side.
 */

import { createElement, find, isolateText } from "../dom.js";
import { compareEntries } from "./text_difference.js";

/** @import { Branch } from "../page_sync.js" */
/** @import { Entry, SceneLog } from "../scene_log.js" */

/** The dialog. */
export class DifferenceDialog {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    /** @type {SceneLog | null} */
    this.log = null;
    this.selects = [...dialog.querySelectorAll("select")];
    dialog.addEventListener("change", () => this.#draw());
    find(dialog, ".close").addEventListener("click", () => dialog.close());
  }

  /**
   * Compare the open version with another one.
   *
   * @param {SceneLog} log
   * @param {Branch[]} branches
   * @param {number} version
   */
  open(log, branches, version) {
    this.log = log;
    const names = new Map(branches.map((each) => [each.version, nameBranch(each)]));
    names.set(log.at, names.get(log.at) ?? "the open version");
    const chosen = [version, log.at];
    this.selects.forEach((select, i) => {
      const options = [...names].map(([value, name]) => createElement("option", { value }, name));
      select.replaceChildren(...options);
      select.value = String(chosen[i]);
    });
    this.#draw();
    this.dialog.showModal();
  }

  #draw() {
    const { log } = this;
    if (!log) return;
    const [before, after] = this.selects.map(({ value }) => log.sceneAt(Number(value)).entries);
    const rows = compareEntries(before, after);
    find(this.dialog, "tbody").replaceChildren(...rows.map(createRow));
    const differ = rows.filter(({ same }) => !same).length;
    const count = differ === 1 ? "1 line differs" : `${differ || "No"} lines differ`;
    find(this.dialog, ".count").textContent = `${count}.`;
  }
}

/** @param {Branch} branch */
function nameBranch({ name, lines, told, current }) {
  if (name) return name;
  const [, text = ""] = told.at(-1) ?? [];
  return current ? "the open version" : `${lines} lines: ${text.slice(0, 40)}`;
}

/** @param {{ before: Entry | null, after: Entry | null, same: boolean }} row */
function createRow({ before, after, same }) {
  const cells = [createCell(before), createCell(after)];
  return createElement("tr", { class: same ? "same" : "differs" }, ...cells);
}

/** @param {Entry | null} entry */
function createCell(entry) {
  if (!entry) return createElement("td", { class: "nothing" });
  const name = entry.speaker ? [createElement("b", {}, isolateText(entry.speaker)), " "] : [];
  return createElement("td", {}, ...name, isolateText(entry.text));
}
