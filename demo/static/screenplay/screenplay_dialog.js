/**
 * The dialog with the scene as pages of a screenplay, to read and to print.
 */

import { createElement, find } from "../dom.js";
import { describeLength, layOutPages } from "./page_layout.js";

/** @import { Scene } from "../scene_log.js" */

// Not in the style sheets: those apply inside of Gradio's container alone.
const PRINT_STYLE = `
@page { size: 8.5in 11in; margin: 0; }
@media screen { #print { display: none; } }
@media print { body > :not(#print) { display: none !important; } }
#print .paper {
  box-sizing: border-box; position: relative; width: 8.5in; height: 11in; break-after: page;
  padding: 1in 1in 1in 1.5in; background: #fff; color: #000;
}
#print :is(p, pre) {
  margin: 0; white-space: pre; font: 12pt/12pt "Courier Prime", "Courier New", Courier, monospace;
}
#print p { position: absolute; top: .5in; right: 1in; }`;

/** The dialog. */
export class ScreenplayDialog {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.pages = find(dialog, ".pages");
    find(dialog, ".close").addEventListener("click", () => dialog.close());
    find(dialog, ".print").addEventListener("click", () => this.#print());
  }

  /** @param {Scene} scene */
  open(scene) {
    const pages = layOutPages(scene);
    find(this.dialog, ".length").textContent = describeLength(pages);
    this.pages.replaceChildren(...pages.map(createPage));
    this.dialog.showModal();
  }

  /** Print the pages alone: as a part of the page of their own, which is gone afterwards. */
  #print() {
    const style = createElement("style", {}, PRINT_STYLE);
    const sheets = createElement("div", { id: "print" }, style, this.pages.cloneNode(true));
    document.body.append(sheets);
    addEventListener("afterprint", () => sheets.remove(), { once: true });
    print();
  }
}

/**
 * @param {string[]} lines
 * @param {number} index
 */
function createPage(lines, index) {
  const number = index ? `${index + 1}.` : "";
  const text = createElement("pre", {}, lines.join("\n"));
  const about = { class: "paper", role: "group", "aria-label": `Page ${index + 1}` };
  return createElement("div", about, createElement("p", {}, number), text);
}
