/**
 * What is above the script: the setting and the premise, or the openings on a blank page.
 */

import { find, isolateText } from "./dom.js";
import { createOpening } from "./panels.js";

/** @import { Heading } from "./page_sync.js" */
/** @import { Guidance } from "./rewriting/rewrite_dialog.js" */
/** @import { Scene } from "./scene_log.js" */

/** Draws it. */
export class SceneHeader {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
  }

  /**
   * Say what happened before, and whether the model is told.
   *
   * @param {string[]} outlines
   * @param {Guidance} guidance
   */
  drawBefore(outlines, guidance) {
    const field = find(this.root, ".before");
    const untold = guidance === "none" ? " This model cannot be told that." : "";
    const sentences = outlines.map((each) => (/[.!?\u2026]$/.test(each) ? each : `${each}.`));
    field.replaceChildren("Before: ", isolateText(sentences.join(" ")), untold);
    field.hidden = !outlines.length;
  }

  /**
   * @param {Scene} scene
   * @param {Heading} heading
   * @param {string[]} before What happened in the earlier scenes of the episode.
   */
  draw({ entries, direction }, { openings, editable, guidance }, before) {
    this.drawBefore(before, guidance);
    for (const name of /** @type {const} */ (["setting", "premise"])) {
      const field = find(this.root, `.${name}`);
      field.replaceChildren(isolateText(direction[name]));
      field.hidden = !direction[name];
    }
    find(this.root, ".blank").hidden = Boolean(entries.length) || !editable;
    const others = openings.length ? ", or begin with one of these." : ".";
    find(this.root, ".blank .hint").textContent = `Write the first line below${others}`;
    find(this.root, ".openings").replaceChildren(...openings.map(createOpening));
  }
}
