/**
 * What the panels and the blank page list: openings and versions.
 */

import { createElement, find, isolateText } from "./dom.js";

/** @import { Branch, Opening } from "./page_sync.js" */
/** @import { SceneLog } from "./scene_log.js" */

/**
 * @param {Opening} opening
 * @param {number} index
 */
export function createOpening({ premise, speaker, text }, index) {
  const idea = premise ? [createElement("em", {}, isolateText(premise))] : [];
  const attributes = { type: "button", "data-opening": index };
  return createElement("button", attributes, ...idea, createExcerpt(speaker, text));
}

/**
 * Create the item of a version: when it was made, by whom, and what differs from the open one.
 *
 * @param {Branch} branch
 * @param {SceneLog} log
 */
export function createBranch({ version, lines, told, current, name }, log) {
  const excerpts = told.map(([speaker, text]) => createExcerpt(speaker, text));
  const title = name ? [createElement("strong", {}, isolateText(name))] : [];
  const format = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
  const time = log.made[version] && new Date(log.made[version]).toLocaleString([], format);
  const who = log.steps[version]?.take?.model ?? "by hand";
  const what = current ? "this version" : `${lines} lines, ${describeDifference(version, log)}`;
  const size = createElement("small", {}, [what, who, time].filter(Boolean).join(" \u00b7 "));
  const attributes = { type: "button", "data-version": version };
  const button = createElement("button", attributes, ...title, size, ...excerpts);
  if (current) button.setAttribute("aria-current", "true");
  const about = { type: "button", class: "compare", "data-compared": version };
  const compare = createElement("button", about, "Compare");
  const forget = { type: "button", class: "forget", "data-forgotten": version };
  const others = name ? [createElement("button", forget, "Forget the name")] : [];
  return createElement("li", {}, button, createElement("div", {}, compare, ...others));
}

/**
 * Count the lines that only one of two versions has.
 *
 * @param {number} version
 * @param {SceneLog} log
 */
function describeDifference(version, log) {
  const [here, there] = [log.scene, log.sceneAt(version)].map(
    ({ entries }) => new Set(entries.map(({ speaker, text }) => `${speaker}: ${text}`)),
  );
  const fresh = [...there].filter((line) => !here.has(line)).length;
  const missing = [...here].filter((line) => !there.has(line)).length;
  return `${fresh} of them only there, ${missing} only here`;
}

/**
 * @param {string} speaker
 * @param {string} text
 */
function createExcerpt(speaker, text) {
  const name = createElement("b", {}, isolateText(speaker));
  return createElement("span", {}, name, " ", isolateText(text));
}

/**
 * Place a panel below its button when it opens; on a phone it is as wide as the window.
 *
 * @param {HTMLElement} root
 * @param {HTMLElement} panel
 */
export function placePanel(root, panel) {
  const { left, bottom } = find(root, `[popovertarget=${panel.id}]`).getBoundingClientRect();
  const right = innerWidth - panel.offsetWidth - 8;
  panel.style.top = `${bottom + 6}px`;
  panel.style.left = `${Math.max(8, Math.min(left, right))}px`;
}
