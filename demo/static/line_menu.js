/**
 * The actions on one line: by the menu of the button beside it, or by shortcuts while the cursor
 * is in it.
 */

import { closestTarget, createElement } from "./dom.js";
import { readRow } from "./script_row.js";
import { SHORTCUTS } from "./shortcuts.js";

/** @import { Shortcut } from "./shortcuts.js" */
/** @import { LineEditor, SendAction } from "./line_editor.js" */

/** @typedef {"rewrite" | "fill" | "element" | "split" | "retake" | "above" | "below" | "up" | "down" | "delete"} LineAction */

/**
 * The menu's items: what each does, its label, and its shortcut if it has one.
 *
 * @type {[LineAction, string, Shortcut | null][]}
 */
const ITEMS = [
  ["rewrite", "Rewrite \u2026", SHORTCUTS.rewrite],
  ["fill", "Fill in below \u2026", null],
  ["retake", "Retake from here", SHORTCUTS.retake],
  ["above", "Insert a line above", null],
  ["below", "Insert a line below", SHORTCUTS.insertBelow],
  ["up", "Move up", SHORTCUTS.moveUp],
  ["down", "Move down", SHORTCUTS.moveDown],
  ["element", "What it is \u2026", null],
  ["split", "Split the scene here", null],
  ["delete", "Delete", SHORTCUTS.deleteLine],
];

/** The menu of a line, and the shortcuts of its items. */
export class LineMenu {
  /**
   * @param {HTMLElement} root The element that the menu is added to.
   * @param {LineEditor} editor
   * @param {SendAction} send
   */
  constructor(root, editor, send) {
    this.editor = editor;
    this.view = editor.view;
    this.send = send;
    /**
     * The row that the menu is open for.
     *
     * @type {HTMLElement | null}
     */
    this.row = null;
    /**
     * The line that gets the cursor once the server has answered.
     *
     * @type {number | null}
     */
    this.focusNext = null;
    const about = { role: "menu", popover: "auto", "aria-label": "This line" };
    this.panel = createElement("div", { class: "menu", ...about });
    for (const [action, label, shortcut] of ITEMS) {
      const keys = createElement("kbd", { "aria-hidden": "true" }, shortcut?.keys ?? "");
      const attributes = { type: "button", role: "menuitem", "data-action": action };
      this.panel.append(createElement("button", attributes, label, keys));
    }
    root.append(this.panel);
    this.view.list.addEventListener("click", (event) => {
      const button = closestTarget(event, ".more");
      if (button) this.#open(button);
    });
    this.view.list.addEventListener("keydown", (event) => this.#handleKey(event));
    this.panel.addEventListener("keydown", (event) => this.#moveFocus(event));
    this.panel.addEventListener("click", (event) => this.#choose(event));
  }

  /** @param {HTMLElement} button The button beside the line. */
  #open(button) {
    this.row = button.closest("li");
    this.panel.showPopover();
    const { right, bottom, top } = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.panel;
    const fitsBelow = bottom + height + 8 < innerHeight;
    this.panel.style.left = `${Math.max(8, right - width)}px`;
    this.panel.style.top = `${Math.max(8, fitsBelow ? bottom + 4 : top - height - 4)}px`;
    this.panel.querySelector("button")?.focus();
  }

  /** @param {MouseEvent} event */
  #choose(event) {
    const item = closestTarget(event, "[data-action]");
    if (!item || !this.row) return;
    this.panel.hidePopover();
    this.#run(/** @type {LineAction} */ (item.dataset.action), this.row);
  }

  /**
   * Move between the items by the arrow keys, Home and End.
   *
   * @param {KeyboardEvent} event
   */
  #moveFocus(event) {
    const items = [...this.panel.querySelectorAll("button")];
    const current = items.findIndex((item) => item === document.activeElement);
    /** @type {Record<string, number>} */
    const targets = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: -1 };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    items.at(target % items.length)?.focus();
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    const row = closestTarget(event, ".entry:not(.draft)");
    if (!row || event.isComposing || this.view.list.classList.contains("fixed")) return;
    const item = ITEMS.find(([, , shortcut]) => shortcut?.matches(event));
    if (!item) return;
    event.preventDefault();
    event.stopPropagation();
    // The edit in the line is sent first.
    if (event.target instanceof HTMLElement) event.target.blur();
    this.#run(item[0], row, { keepFocus: true });
  }

  /**
   * Run an action on a line.
   *
   * @param {LineAction} action
   * @param {HTMLElement} row
   * @param {{ keepFocus?: boolean }} [options] Whether the cursor goes to where the line was
   *   moved, or to the next line if it is deleted.
   */
  #run(action, row, { keepFocus = false } = {}) {
    const index = Number(row.dataset.index);
    const was = readRow(row);
    const last = this.view.drawn.length - 1;
    if (action === "above" || action === "below") {
      this.editor.insertDraft(action === "above" ? index : index + 1, was.speaker ?? "");
    } else if (action === "up" || action === "down") {
      const to = index + (action === "up" ? -1 : 1);
      if (to < 0 || to > last) return;
      if (keepFocus) this.focusNext = to;
      this.send("move", { index, was, to });
    } else {
      this.send(action, { index, was });
      if (keepFocus && action === "delete") this.focusNext = Math.min(index, last - 1);
    }
  }

  /** Restore the focus after the script was drawn again. */
  restoreFocus() {
    if (this.focusNext === null) return;
    const selector = `[data-index="${this.focusNext}"] .words`;
    const words = this.view.list.querySelector(selector);
    if (words instanceof HTMLElement) words.focus();
    this.focusNext = null;
  }
}
