/**
 * The settings beside the scene, kept over a reload: the model, who speaks next, the samplers.
 *
 * Each tab has its own; a new tab begins with those that were changed last.
 */

const KEY = "nothing-gpt/settings";

/** The settings of this browser. */
export class SettingsStore {
  constructor() {
    /** Settings before this page was loaded; null if there are none. */
    this.before = readSettings();
    /** Whether the fields show them: what the fields have before that is not kept. */
    this.isShown = false;
  }

  listen() {
    document.addEventListener("room:settings", (event) => {
      if (this.isShown && event instanceof CustomEvent) keep(JSON.stringify(event.detail));
    });
  }
}

/** @param {string} text */
function keep(text) {
  try {
    sessionStorage.setItem(KEY, text);
    localStorage.setItem(KEY, text);
  } catch {
    // A browser without room says so where words are concerned.
  }
}

/** @returns {object | null} */
function readSettings() {
  try {
    const text = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
    const settings = JSON.parse(text ?? "null");
    return typeof settings === "object" ? settings : null;
  } catch {
    return null; // no storage, or another program's text
  }
}
