/**
 * What a model is writing now: one line, or several takes side by side. It has a component of its
 * own, which is drawn at every token.
 */

import {
  SPEAKER_COLOURS,
  closestTarget,
  createElement,
  createHiddenText,
  findAll,
  isolateText,
} from "./dom.js";
import { SHORTCUTS } from "./shortcuts.js";

/** @import { GradioComponent } from "./dom.js" */
/** @import { AlternativesValue } from "./rewriting/alternatives.js" */

/** @typedef {{ speaker: string, text: string }} Line */

/**
 * One of several takes: its finished lines, the line being written, and in `said` how it ended.
 *
 * @typedef {object} Take
 * @property {string} name
 * @property {string} state "waiting" or "writing" until it has ended.
 * @property {Line[]} lines
 * @property {Line | null} growing
 * @property {string} said
 */

/**
 * The component's value: `takes` while there are several to choose from, `writing` while one
 * model writes, neither otherwise.
 *
 * @typedef {object} LiveValue
 * @property {string[]} cast
 * @property {boolean} [writing]
 * @property {Line | null} [line]
 * @property {Take[]} [takes]
 * @property {AlternativesValue} [alternatives] Shown in the script itself.
 * @property {number | null} [chosen]
 */

const NO_SHORTCUTS = "input, textarea, select, [contenteditable], dialog, [popover]";

/**
 * @param {string} speaker
 * @param {string[]} cast
 */
function colourClass(speaker, cast) {
  const index = cast.indexOf(speaker);
  return index < 0 ? "" : ` speaker-${index % SPEAKER_COLOURS}`;
}

/**
 * Create the row of a line; null is a line that has not begun.
 *
 * @param {Line | null | undefined} line
 * @param {string[]} cast
 * @param {{ caret: boolean }} options
 */
function createRow(line, cast, { caret }) {
  const colour = line ? colourClass(line.speaker, cast) : "";
  const name = createElement("span", { class: "name" });
  const words = createElement("span", { class: "words" });
  if (line) name.append(isolateText(line.speaker));
  if (line) words.append(isolateText(line.text));
  if (caret) words.append(createElement("span", { class: "caret" }));
  return createElement("div", { class: `entry live${colour}` }, name, words);
}

/**
 * Create the panel of a take.
 *
 * @param {Take} take
 * @param {number} index
 * @param {LiveValue} value
 */
function createTake(take, index, { cast, chosen }) {
  const unfinished = take.state === "writing" || take.state === "waiting";
  const rows = take.lines.map((line) => createRow(line, cast, { caret: false }));
  if (unfinished) rows.push(createRow(take.growing, cast, { caret: true }));
  const key = createElement("kbd", { "aria-hidden": "true" }, String(index + 1));
  const attributes = { type: "button", class: "choose", "data-take": index };
  const named = createHiddenText(`take ${take.name} `);
  const button = createElement("button", attributes, "Choose ", named, key);
  button.disabled = !take.lines.length || unfinished;
  const heading = createElement("h3", {}, isolateText(take.name));
  const header = createElement("header", {}, heading, button);
  const result = take.said
    ? [createElement("p", { class: "result" }, isolateText(take.said))]
    : [];
  const kind = index === chosen ? "take chosen" : "take";
  const section = { class: kind, "aria-label": `Take ${take.name}` };
  return createElement("section", section, header, ...rows, ...result);
}

/**
 * Create all that the component shows.
 *
 * @param {LiveValue} value
 * @returns {HTMLElement[]}
 */
function createView(value) {
  if (value.takes) {
    const takes = value.takes.map((take, index) => createTake(take, index, value));
    const group = { class: "takes", role: "group", "aria-label": "Takes" };
    const dismiss = createElement("button", { type: "button", class: "dismiss" }, "None of these");
    return [createElement("div", group, ...takes), dismiss];
  }
  return value.writing ? [createRow(value.line, value.cast, { caret: true })] : [];
}

/**
 * Scroll with the lines that arrive, until the reader scrolls away from the last one.
 *
 * @param {HTMLElement} container The element around the script and the lines being written.
 */
function followLastLine(container) {
  /** Pixels of the last line that the composer, which floats over the page, covers. */
  const measureCovered = () => {
    const last = findAll(container, ".lines .entry, .live, .takes .entry, .dismiss, .waiting:not([hidden]) .entry").at(-1);
    const composer = document.querySelector("#dock");
    if (!last || !composer) return 0;
    return last.getBoundingClientRect().bottom + 16 - composer.getBoundingClientRect().top;
  };
  let following = true;
  document.addEventListener("click", (event) => {
    if (closestTarget(event, "#continue, #takes, #retake, #compare")) following = true;
  });
  const notice = () => (following = measureCovered() < 120);
  addEventListener("scroll", notice, { passive: true });
  document.addEventListener("room:placed", notice); // kept/scene_place.js
  new MutationObserver(() => {
    const covered = following ? measureCovered() : 0;
    if (covered > 0) scrollBy(0, covered);
  }).observe(container, { childList: true, characterData: true, subtree: true });
}

/**
 * Tell the component with the script that a take was chosen.
 *
 * @param {number} index Negative for none of them.
 */
function tellPage(index) {
  const detail = { deed: "choose", index };
  document.dispatchEvent(new CustomEvent("room:deed", { detail }));
}

/**
 * Start the component.
 *
 * @param {GradioComponent} component
 */
export function startLiveView({ element, props, watch }) {
  const draw = () => {
    /** @type {LiveValue} */
    const value = JSON.parse(props.value || "{}");
    element.replaceChildren(...createView(value));
    const detail = value.alternatives ?? null;
    document.dispatchEvent(new CustomEvent("room:alternatives", { detail }));
  };

  /** @param {number} index */
  const choose = (index) => {
    const [button] = findAll(element, `[data-take="${index}"]`);
    if (!(button instanceof HTMLButtonElement) || button.disabled) return false;
    tellPage(index);
    return true;
  };

  element.addEventListener("click", (event) => {
    const take = closestTarget(event, "[data-take]");
    if (take) choose(Number(take.dataset.take));
    if (closestTarget(event, ".dismiss")) tellPage(-1);
  });
  addEventListener("keydown", (event) => {
    if (closestTarget(event, NO_SHORTCUTS) || !SHORTCUTS.chooseTake.matches(event)) return;
    if (choose(Number(event.key) - 1)) event.preventDefault();
  });
  const container = element.closest("#sheet");
  if (container instanceof HTMLElement) followLastLine(container);
  watch("value", draw);
  draw();
}
