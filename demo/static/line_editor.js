/**
 * Edits of the script's lines in place, and new lines between them.
 */

import { closestTarget, createElement, isEditable } from "./dom.js";
import { createField, readRow } from "./script_row.js";
import { SHORTCUTS } from "./shortcuts.js";

/** @import { LineDraft } from "./drafts.js" */
/** @import { LineText } from "./script_row.js" */
/** @import { ScriptView } from "./script_view.js" */

/**
 * Sends an action on a line to the server.
 *
 * @typedef {(action: string, fields: Record<string, any>) => void} SendAction
 */

/**
 * Gets the actions on lines, and at every key the line that is being typed; null once it is sent
 * or given up.
 *
 * @typedef {{ send: SendAction, typed: (draft: LineDraft | null) => void }} EditListener
 */

/** Turns what a person types into the lines into actions. */
export class LineEditor {
  /**
   * @param {ScriptView} view
   * @param {EditListener} listener
   */
  constructor(view, { send, typed }) {
    this.view = view;
    this.send = send;
    this.typed = typed;
    /**
     * The field with the cursor, its text before the edit, and whether something was typed.
     *
     * @type {{ field: HTMLElement, before: string, typed: boolean } | null}
     */
    this.edit = null;
    const { list } = view;
    list.addEventListener("focusin", ({ target }) => this.#beginEdit(target));
    list.addEventListener("input", (event) => {
      if (this.edit) this.edit.typed = true;
      this.#keepDraft(event);
    });
    list.addEventListener("keydown", (event) => this.#handleKey(event));
    list.addEventListener("focusout", (event) => this.#finishEdit(event));
  }

  /** @param {EventTarget | null} target */
  #beginEdit(target) {
    if (isEditable(target)) {
      this.edit = { field: target, before: target.textContent ?? "", typed: false };
    }
  }

  /** @param {FocusEvent} event */
  #finishEdit(event) {
    const { edit } = this;
    const row = closestTarget(event, ".entry");
    if (!edit || edit.field !== event.target || !row || row.classList.contains("draft")) return;
    this.edit = null;
    if (edit.field.textContent !== edit.before) {
      const [was, now] = readEdit(row, edit);
      this.send("revise", { index: Number(row.dataset.index), was, now });
    }
    this.typed(null);
  }

  /** @param {Event} event */
  #keepDraft(event) {
    const { edit } = this;
    const row = closestTarget(event, ".entry");
    if (!edit || !row) return;
    if (row.classList.contains("draft")) {
      this.typed({ index: Number(row.dataset.before), now: readRow(row) });
      return;
    }
    const [was, now] = readEdit(row, edit);
    const kind = edit.field.classList.contains("name") ? "name" : "words";
    this.typed({ index: Number(row.dataset.index), was, now, kind });
  }

  /**
   * Offer a half-typed line again, with the cursor in it.
   *
   * @param {LineDraft} draft
   * @returns {boolean} Whether its line is still as it was.
   */
  restoreDraft({ index, was, now, kind = "words" }) {
    if (!was) {
      this.insertDraft(index, now.speaker ?? "");
      this.#type(this.view.list.querySelector(".draft .words"), now.text);
      return true;
    }
    // Actions that waited can have moved the line.
    const seen = JSON.stringify(was);
    const distance = (/** @type {HTMLElement} */ row) => Math.abs(Number(row.dataset.index) - index);
    const [row] = this.view.rows
      .filter((each) => JSON.stringify(readRow(each)) === seen)
      .sort((a, b) => distance(a) - distance(b));
    if (!row) return false;
    this.#type(row.querySelector(`.${kind}`), (kind === "name" ? now.speaker : now.text) ?? "");
    return true;
  }

  /**
   * Put a text into a field as if it was typed, with the cursor at its end.
   *
   * @param {Element | null} field
   * @param {string} text
   */
  #type(field, text) {
    if (!isEditable(field)) return;
    field.focus();
    field.textContent = text;
    getSelection()?.selectAllChildren(field);
    getSelection()?.collapseToEnd();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    const { target } = event;
    if (!isEditable(target) || event.isComposing) return;
    const { keepEdit, leaveEdit, lineAbove, lineBelow } = SHORTCUTS;
    if (lineAbove.matches(event)) this.#moveCursor(event, target, -1);
    if (lineBelow.matches(event)) this.#moveCursor(event, target, 1);
    const isEnter = keepEdit.matches(event);
    if (!isEnter && !leaveEdit.matches(event)) return;
    event.preventDefault();
    if (!isEnter) event.stopPropagation();
    const draft = closestTarget(event, ".draft");
    if (!draft) target.blur();
    else if (this.#finishDraft(draft) && isEnter) this.#insertNext(draft);
  }

  /**
   * Move the cursor to the same field of the line above or below, from the first or last row of
   * the words; within them it moves as usual.
   *
   * @param {KeyboardEvent} event
   * @param {HTMLElement} field
   * @param {1 | -1} step
   */
  #moveCursor(event, field, step) {
    const selection = getSelection();
    const caret = selection?.rangeCount ? selection.getRangeAt(0).getClientRects()[0] : null;
    const { top, bottom } = field.getBoundingClientRect();
    const distance = step < 0 ? (caret?.top ?? top) - top : bottom - (caret?.bottom ?? bottom);
    if (!selection?.isCollapsed || (caret && distance > caret.height / 2)) return;
    const row = field.closest(".entry");
    const next = step < 0 ? row?.previousElementSibling : row?.nextElementSibling;
    const kind = field.classList.contains("name") ? ".name" : ".words";
    const target = next?.querySelector(kind) ?? next?.querySelector(".words");
    if (!isEditable(target ?? null)) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (target).focus();
  }

  /**
   * Open the line after one that was just finished, for whoever spoke before it.
   *
   * @param {HTMLElement} draft
   */
  #insertNext(draft) {
    const before = Number(draft.dataset.before);
    const { speaker } = readRow(draft);
    const others = this.view.rows.slice(0, before).map((row) => readRow(row).speaker);
    const answering = others.reverse().find((name) => name && name !== speaker);
    this.insertDraft(before + 1, answering ?? speaker ?? "");
  }

  /**
   * Insert an empty line to be filled in.
   *
   * @param {number} index The entry that the new line comes before.
   * @param {string} speaker
   */
  insertDraft(index, speaker) {
    const { list } = this.view;
    list.querySelector(".draft")?.remove();
    const name = createField("name", speaker);
    const words = createField("words", "");
    name.setAttribute("aria-label", "Who speaks the new line");
    words.setAttribute("aria-label", "The new line");
    const row = createElement("li", { class: "entry draft", "data-before": index }, name, words);
    list.insertBefore(row, this.view.rows[index] ?? null);
    row.addEventListener("focusout", ({ relatedTarget }) => {
      const inside = relatedTarget instanceof Node && row.contains(relatedTarget);
      if (!inside) this.#finishDraft(row);
    });
    words.focus();
  }

  /**
   * @param {HTMLElement} row
   * @returns {boolean} Whether there is a new line.
   */
  #finishDraft(row) {
    if (row.dataset.finished) return false; // removing the row moves the focus here again
    row.dataset.finished = "1";
    const { speaker, text } = readRow(row);
    const index = Number(row.dataset.before);
    this.edit = null;
    row.remove();
    const isLine = text.trim() !== "";
    if (isLine) this.send("insert", { index, speaker: speaker || null, text });
    this.typed(null);
    return isLine;
  }
}

/**
 * Read a changed row: its words before the edit, and now.
 *
 * @param {HTMLElement} row
 * @param {{ field: HTMLElement, before: string }} edit
 * @returns {[LineText, LineText]}
 */
function readEdit(row, { field, before }) {
  const now = readRow(row);
  const changed = field.classList.contains("name") ? "speaker" : "text";
  return [{ ...now, [changed]: before }, now];
}
