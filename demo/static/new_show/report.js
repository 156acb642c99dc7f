/**
 * The report on the scripts: what may be wrong first, then what became of every line.
 */

import { createElement, find, isolateText } from "../dom.js";

/** @import { Job, Report } from "./questions.js" */

/** @typedef {{ name: string, count: number, examples: string[] }} Fate */

/**
 * Draw the report of a job.
 *
 * @param {HTMLElement} root
 * @param {Job} job
 */
export function drawReport(root, { report }) {
  if (!report) return;
  const { episodes, examples } = report;
  const count = episodes.train + episodes.validation;
  find(root, ".counts").textContent =
    `${count} episodes, ${report.read.toLocaleString()} lines read. They give ` +
    `${examples.train.toLocaleString()} examples to train on and ` +
    `${examples.validation.toLocaleString()} held out.`;
  find(root, ".near-misses").replaceChildren(...describeNearMisses(report));
  const fates = listFates(report);
  find(root, ".picture").replaceChildren(createPicture(fates, report.read));
  find(root, ".fates").replaceChildren(createFates(fates, report.read));
  const notes = report.notes.map((note) => createElement("p", { class: "hint" }, isolateText(note)));
  find(root, ".notes").replaceChildren(...notes);
}

/**
 * List what became of the lines, by kind.
 *
 * @param {Report} report
 * @returns {Fate[]}
 */
function listFates({ kinds, dropped }) {
  const kept = Object.entries(kinds).map(([name, count]) => ({ name, count, examples: [] }));
  const lost = Object.entries(dropped).map(([reason, about]) => ({
    name: `dropped: ${reason}`,
    ...about,
  }));
  return [...kept, ...lost].filter(({ count }) => count);
}

/**
 * @param {Report} report
 * @returns {HTMLElement[]}
 */
function describeNearMisses({ near_misses: misses, more_near_misses: more }) {
  if (!misses.length) {
    const text = "No line looks like something else than what it was taken for.";
    return [createElement("p", { class: "hint" }, text)];
  }
  const rows = misses.map(({ file, line, text, reason }) => [`${file}:${line}`, text, reason]);
  const heading = createElement("h3", {}, "Look at these first");
  const rest = more ? [createElement("p", { class: "hint" }, `and ${more} more`)] : [];
  const table = createTable("Lines to look at", ["Where", "Line", "Why"], rows);
  return [heading, table, ...rest];
}

/**
 * @param {Fate[]} fates
 * @param {number} read
 */
function createFates(fates, read) {
  const rows = fates.map(({ name, count, examples }, index) => {
    const key = createElement("span", { class: `key kind-${index % 8}` });
    const cell = createElement("span", {}, key, name);
    return [cell, count.toLocaleString(), formatShare(count, read), examples.join(" \u00b7 ")];
  });
  const header = ["Lines", "Number", "Share", "For example"];
  return createTable("What became of the lines", header, rows);
}

/**
 * Draw the shares as one bar; the table below it says the same.
 *
 * @param {Fate[]} fates
 * @param {number} read
 */
function createPicture(fates, read) {
  const said = fates.map(({ name, count }) => `${name} ${formatShare(count, read)}`);
  const about = { class: "bar-picture", role: "img", "aria-label": said.join(", ") };
  const parts = fates.map(({ count }, index) => {
    const part = createElement("span", { class: `kind-${index % 8}` });
    part.style.flexGrow = String(count);
    return part;
  });
  return createElement("div", about, ...parts);
}

/**
 * @param {number} count
 * @param {number} all
 */
export function formatShare(count, all) {
  return `${((100 * count) / Math.max(all, 1)).toFixed(1)}%`;
}

/**
 * Create a table that scrolls sideways where it is too wide.
 *
 * @param {string} name For who cannot see it.
 * @param {string[]} header
 * @param {(string | Node)[][]} rows
 */
export function createTable(name, header, rows) {
  const cells = header.map((text) => createElement("th", { scope: "col" }, text));
  const lines = rows.map((row) => {
    const made = row.map((cell) => (typeof cell === "string" ? isolateText(cell) : cell));
    return createElement("tr", {}, ...made.map((cell) => createElement("td", {}, cell)));
  });
  const head = createElement("thead", {}, createElement("tr", {}, ...cells));
  const table = createElement("table", {}, head, createElement("tbody", {}, ...lines));
  const about = { class: "scrolled", tabindex: 0, role: "region", "aria-label": name };
  return createElement("div", about, table);
}
