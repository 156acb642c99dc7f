/**
 * The mark above the first line that the next request shows the model.
 */

import { createElement, find } from "./dom.js";

/** Marks the line, and shows the request at a click. */
export class MemoryMark {
  /** @param {HTMLElement} list The list of the script's lines. */
  constructor(list) {
    this.list = list;
    const title = "Lines above are not sent to the model. Click to see what is.";
    const button = createElement("button", { type: "button", title }, "the model reads from here");
    button.addEventListener("click", showRequest);
    this.item = createElement("li", { class: "memory" }, button);
  }

  /**
   * Put the mark above a line; there is none if the model reads all of them.
   *
   * @param {number} index
   */
  place(index) {
    const row = index > 0 ? this.list.querySelector(`[data-index="${index}"]`) : null;
    if (!row) this.item.remove();
    else if (this.item.nextElementSibling !== row) row.before(this.item);
  }
}

/** Open the part of the side panel with the request, and have it written there. */
function showRequest() {
  const label = find(document, "#sent button");
  if (!label.classList.contains("open")) label.click();
  document.dispatchEvent(new CustomEvent("room:deed", { detail: { deed: "preview" } }));
  find(document, "#sent").scrollIntoView({ block: "nearest" });
}
