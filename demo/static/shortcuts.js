/**
 * The keyboard shortcuts: one table for the handlers, the help dialog and the line menu.
 */

import { closestTarget, createElement, find, findAll, isEditable } from "./dom.js";

/** @import { LineEditor } from "./line_editor.js" */

/**
 * A keyboard shortcut: how it is written, what the help dialog says, and which key presses it is.
 *
 * @typedef {object} Shortcut
 * @property {string} keys
 * @property {string} [help] Left out where the help of another shortcut names it.
 * @property {(event: KeyboardEvent) => boolean} matches
 */

/**
 * Tell whether the main modifier is pressed: Ctrl, or Command on Apple's keyboards.
 *
 * @param {KeyboardEvent} event
 */
const hasControl = (event) =>
  /Mac|iPhone|iPad/.test(navigator.platform) ? event.metaKey : event.ctrlKey;

/** @param {KeyboardEvent} event */
const hasAltAlone = (event) => event.altKey && !event.ctrlKey && !event.metaKey;

/** @param {KeyboardEvent} event */
const hasNoModifier = (event) => !event.altKey && !event.ctrlKey && !event.metaKey;

/**
 * Letters with Alt are compared by the key's position: on a Mac, Alt+R types another character.
 *
 * @satisfies {Record<string, Shortcut>}
 */
export const SHORTCUTS = {
  proceed: {
    keys: "Ctrl+Enter",
    help: "Continue; with a line in the composer, add it first",
    matches: (event) => hasControl(event) && !event.shiftKey && event.key === "Enter",
  },
  stop: {
    keys: "Esc",
    help: "Stop the model",
    matches: (event) => event.key === "Escape",
  },
  retake: {
    keys: "Alt+R",
    help: "Retake; in a line: retake from there",
    matches: (event) => hasAltAlone(event) && event.code === "KeyR",
  },
  rewrite: {
    keys: "Alt+W",
    help: "In a line: rewrite it",
    matches: (event) => hasAltAlone(event) && event.code === "KeyW",
  },
  takes: {
    keys: "Ctrl+Shift+Enter",
    help: "Several takes, side by side",
    matches: (event) => hasControl(event) && event.shiftKey && event.key === "Enter",
  },
  undo: {
    keys: "Ctrl+Z",
    help: "Undo anything",
    matches: (event) =>
      hasControl(event) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z",
  },
  redo: {
    keys: "Ctrl+Shift+Z",
    help: "Redo",
    matches(event) {
      const key = event.key.toLowerCase();
      const isRedo = key === "y" || (key === "z" && event.shiftKey);
      return hasControl(event) && !event.altKey && isRedo;
    },
  },
  compose: {
    keys: "Alt+N",
    help: "Go to the new line",
    matches: (event) => hasAltAlone(event) && event.code === "KeyN",
  },
  keepEdit: {
    keys: "Enter",
    help: "In a line: keep the change, as Esc does; in a new line: also open the next",
    matches: (event) => hasNoModifier(event) && event.key === "Enter",
  },
  leaveEdit: {
    keys: "Esc",
    matches: (event) => hasNoModifier(event) && event.key === "Escape",
  },
  lineAbove: {
    keys: "\u2191",
    help: "In a line: go to the line above; \u2193 goes to the one below",
    matches: (event) => hasNoModifier(event) && !event.shiftKey && event.key === "ArrowUp",
  },
  lineBelow: {
    keys: "\u2193",
    matches: (event) => hasNoModifier(event) && !event.shiftKey && event.key === "ArrowDown",
  },
  moveUp: {
    keys: "Alt+\u2191",
    help: "Move the line up; Alt \u2193 moves it down",
    matches: (event) => hasAltAlone(event) && event.key === "ArrowUp",
  },
  moveDown: {
    keys: "Alt+\u2193",
    matches: (event) => hasAltAlone(event) && event.key === "ArrowDown",
  },
  insertBelow: {
    keys: "Alt+Enter",
    help: "Insert a line below",
    matches: (event) => hasAltAlone(event) && event.key === "Enter",
  },
  deleteLine: {
    keys: "Alt+Del",
    help: "Delete the line",
    matches: (event) => hasAltAlone(event) && /^(Delete|Backspace)$/.test(event.key),
  },
  chooseTake: {
    keys: "1",
    help: "Choose the first of several takes, 2 the second, and so on",
    matches: (event) => hasNoModifier(event) && /^[1-9]$/.test(event.key),
  },
  find: {
    keys: "Ctrl+Shift+H",
    help: "Find and replace, rename a character",
    matches: (event) =>
      hasControl(event) && event.shiftKey && !event.altKey && event.key.toLowerCase() === "h",
  },
  help: {
    keys: "?",
    help: "This sheet",
    matches: (event) => event.key === "?",
  },
};

/**
 * List the shortcuts for the help dialog: the keys of each, and what it does.
 *
 * @returns {[string[], string][]}
 */
export function describeShortcuts() {
  return Object.values(SHORTCUTS).flatMap((/** @type {Shortcut} */ { keys, help }) =>
    help ? [[keys.split("+"), help]] : [],
  );
}

/**
 * Click a button of the page by its elem_id. A shortcut can do nothing that a button cannot.
 *
 * @param {string} id
 * @returns {boolean} Whether the button is there and enabled.
 */
function clickButton(id) {
  return clickElement(`#${id}:is(button), #${id} button`);
}

/** @param {string} selector */
function clickElement(selector) {
  const button = document.querySelector(selector);
  if (!(button instanceof HTMLButtonElement) || button.disabled) return false;
  button.click();
  return true;
}

/** @param {EventTarget | null} target */
const isFormField = (target) =>
  target instanceof HTMLInputElement ||
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement;

/** Handles the shortcuts that work everywhere on the page. */
export class PageShortcuts {
  /**
   * @param {HTMLDialogElement} dialog The help dialog.
   * @param {LineEditor} editor
   */
  constructor(dialog, editor) {
    this.dialog = dialog;
    this.editor = editor;
    for (const [keys, help] of describeShortcuts()) {
      const term = createElement("dt", {}, ...keys.map((key) => createElement("kbd", {}, key)));
      find(dialog, "dl").append(term, createElement("dd", {}, help));
    }
    find(dialog, "button").addEventListener("click", () => dialog.close());
    document.addEventListener("click", (event) => {
      const link = closestTarget(event, ".skip-link");
      if (!link) return;
      event.preventDefault(); // another hash in the address would open another scene
      const targets = findAll(document, link.dataset.to ?? "");
      targets.find((target) => target.checkVisibility())?.focus();
    });
    addEventListener("keydown", (event) => {
      if (!event.isComposing && this.#handle(event)) event.preventDefault();
    });
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether the event is handled; the browser then does nothing more with it.
   */
  #handle(event) {
    const { proceed, takes, stop, undo, redo, retake, compose, help } = SHORTCUTS;
    const { target } = event;
    if (proceed.matches(event) || takes.matches(event)) {
      const isTakes = takes.matches(event);
      // The edit in the line is sent first; digits choose a take and are not written somewhere.
      if (target instanceof HTMLElement && (isTakes || isEditable(target))) target.blur();
      return clickButton(isTakes ? "takes" : "continue");
    }
    if (stop.matches(event) && !document.querySelector(":popover-open, dialog[open]")) {
      return clickButton("stop");
    }
    if (undo.matches(event) || redo.matches(event)) {
      return !this.#hasOwnUndo(target) && clickButton(redo.matches(event) ? "redo" : "undo");
    }
    if (retake.matches(event)) return clickButton("retake");
    if (SHORTCUTS.find.matches(event)) return clickElement(".open-find");
    if (compose.matches(event)) {
      find(document, "#compose textarea").focus();
      return true;
    }
    if (help.matches(event) && !isEditable(target) && !isFormField(target)) {
      this.showHelp();
      return true;
    }
    return false;
  }

  /**
   * Tell whether undo belongs to the field: text that was just typed keeps the browser's undo.
   *
   * @param {EventTarget | null} target
   */
  #hasOwnUndo(target) {
    if (isEditable(target)) return this.editor.edit?.typed ?? true;
    return isFormField(target) && target.value !== "";
  }

  showHelp() {
    if (!this.dialog.open) this.dialog.showModal();
  }
}
