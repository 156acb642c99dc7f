/**
 * The question before lines are rewritten, or before new ones are written between two.
 */

import { find, findInput } from "../dom.js";

/** @import { Entry } from "../scene_log.js" */
/** @import { Deed } from "../outbox.js" */

/**
 * How the model takes a sentence of direction: as words of its instructions, at the end of the
 * premise, or not at all.
 *
 * @typedef {"words" | "premise" | "none"} Guidance
 */

/** @type {Record<Guidance, string>} */
export const GUIDANCE_HINTS = {
  words: "The model is told so.",
  premise:
    "This model only continues scenes. The words go to the end of its premise, for these lines alone, and may do little.",
  none: "This model was trained without direction, so it cannot be told how.",
};

const MOST_LINES = 8;

/** The dialog. */
export class RewriteDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {{ send: (deed: Deed) => void, typed: (text: string) => void }} listener Gets the
   *   action, and at every key what is being typed.
   */
  constructor(dialog, { send, typed }) {
    this.dialog = dialog;
    this.send = send;
    this.lines = findInput(dialog, "[type=number]");
    this.how = findInput(dialog, "[type=text]");
    /** @type {"rewrite" | "fill"} */
    this.kind = "rewrite";
    this.index = 0;
    /** @type {Entry[]} */
    this.entries = [];
    this.lines.addEventListener("input", () => this.#describe());
    this.how.addEventListener("input", () => typed(this.how.value));
    find(dialog, "form").addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close();
      this.#send();
    });
    find(dialog, ".cancel").addEventListener("click", () => dialog.close());
  }

  /**
   * Ask about a line, or about the gap below it.
   *
   * @param {"rewrite" | "fill"} kind
   * @param {number} index
   * @param {Entry[]} entries The scene.
   * @param {{ guidance: Guidance, typed: string }} options `typed` was typed before.
   */
  open(kind, index, entries, { guidance, typed }) {
    this.kind = kind;
    this.index = index;
    this.entries = entries;
    const isRewrite = kind === "rewrite";
    const { dialog, lines, how } = this;
    find(dialog, "h2").textContent = isRewrite ? "Rewrite" : "Fill in";
    find(dialog, ".lines-label").textContent = isRewrite
      ? "Lines, from this one on"
      : "Lines to write in between";
    lines.max = String(isRewrite ? Math.min(MOST_LINES, entries.length - index) : MOST_LINES);
    lines.value = "1";
    how.value = typed;
    how.disabled = guidance === "none";
    find(dialog, ".hint").textContent = GUIDANCE_HINTS[guidance];
    this.#describe();
    dialog.showModal();
  }

  get #count() {
    return Math.min(Math.max(Math.round(this.lines.valueAsNumber) || 1, 1), Number(this.lines.max));
  }

  /** The first and the last line that are rewritten, or those around the gap. */
  get #ends() {
    const last = this.kind === "rewrite" ? this.index + this.#count - 1 : this.index + 1;
    return [this.index, last];
  }

  /** Say which lines it is about. */
  #describe() {
    const [first, last] = this.#ends.map((index) => this.entries[index]);
    const joint = this.kind === "rewrite" ? " \u2013 " : " \u2026 ";
    const ends = first === last || !last ? [first] : [first, last];
    const text = ends.map((entry) => (entry.speaker ? `${entry.speaker}: ` : "") + entry.text);
    find(this.dialog, ".about").textContent = text.join(joint);
  }

  #send() {
    const { kind, index, entries, how } = this;
    const isRewrite = kind === "rewrite";
    const was = isRewrite ? entries.slice(index, index + this.#count) : [];
    this.send({
      deed: "rewrite",
      index: isRewrite ? index : index + 1,
      was: was.map(({ speaker = null, text }) => ({ speaker, text })),
      lines: isRewrite ? 1 : this.#count,
      guidance: how.disabled ? "" : how.value,
    });
  }
}
