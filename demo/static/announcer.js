/**
 * Tells screen readers the lines that a model has finished.
 */

import { createElement } from "./dom.js";

/** @import { Entry } from "./scene_log.js" */

const MOST_KEPT = 20; // lines

/** A log that is not seen, and read aloud as it grows. */
export class Announcer {
  /** @param {HTMLElement} root */
  constructor(root) {
    const about = { class: "visually-hidden announced", role: "log", "aria-label": "What the model writes" };
    this.log = createElement("div", about);
    root.append(this.log);
    /** How many entries were drawn last. */
    this.count = 0;
    this.wasWriting = false;
  }

  /**
   * @param {Entry[]} entries The entries that are drawn now.
   * @param {boolean} isWriting Whether a model is writing. Its last line comes with the news that
   *   it has finished.
   */
  note(entries, isWriting) {
    const fresh = isWriting || this.wasWriting ? entries.slice(this.count) : [];
    this.count = entries.length;
    this.wasWriting = isWriting;
    for (const { speaker, text } of fresh) {
      this.log.append(createElement("p", {}, `${speaker ?? ""}: ${text}`));
    }
    while (this.log.children.length > MOST_KEPT) this.log.firstElementChild?.remove();
  }
}
