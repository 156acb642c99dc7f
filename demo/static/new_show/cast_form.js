/**
 * The table of speakers, in which names are corrected, merged, and taken into the cast.
 */

import { createElement, find, findAll, findInput, isolateText } from "../dom.js";
import { createTable, formatShare } from "./report.js";

/** @import { Job, Member } from "./questions.js" */

const IN_CAST = "in the cast";
const OUTSIDE = "not in the cast";
const ALIAS = "alias:"; // before the name that somebody also has

/** @typedef {{ name: string, lines: number, role: string, hint: string }} Speaker */

/** The table. */
export class CastForm {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {Speaker[]} */
    this.speakers = [];
  }

  /** @param {Job} job */
  draw(job) {
    this.speakers = listSpeakers(job);
    const cast = job.show?.cast.map(({ name }) => name) ?? [];
    const all = job.report?.spoken ?? 0;
    const rows = this.speakers.map((speaker, index) => {
      const share = speaker.lines ? formatShare(speaker.lines, all) : "";
      const bar = createElement("span", { class: "share" }, share);
      bar.style.setProperty("--share", `${(100 * speaker.lines) / Math.max(all, 1)}%`);
      const lines = speaker.lines ? speaker.lines.toLocaleString() : "";
      return [createNameField(speaker, index), lines, bar, createRoleField(speaker, cast)];
    });
    const header = ["Name in the model's lines", "Lines", "Share", "Who it is"];
    const more = job.report?.more_speakers ?? 0;
    const rest = more ? [createElement("p", { class: "hint" }, `and ${more} others`)] : [];
    this.place.replaceChildren(createTable("Speakers", header, rows), ...rest);
  }

  /**
   * Read the cast as it was corrected.
   *
   * @returns {Member[]}
   */
  read() {
    const rows = findAll(this.place, "tbody tr").map((row, index) => ({
      old: this.speakers[index].name,
      name: findInput(row, "input").value.trim(),
      role: readChoice(find(row, "select")),
    }));
    return rows
      .filter(({ role }) => role === IN_CAST)
      .map(({ old, name }) => {
        const others = rows.filter(({ role }) => role === `${ALIAS}${old}`).map((each) => each.old);
        return { name, aliases: name === old ? others : [old, ...others] };
      });
  }
}

/**
 * List the speakers: those with lines, and the other names of the cast.
 *
 * @param {Job} job
 * @returns {Speaker[]}
 */
function listSpeakers({ show, report, suspects }) {
  const cast = show?.cast ?? [];
  const counts = new Map(report?.speakers);
  const members = new Set(cast.map(({ name }) => name));
  const speakers = [];
  for (const { name, aliases } of cast) {
    speakers.push({ name, lines: counts.get(name) ?? 0, role: IN_CAST, hint: "" });
    for (const alias of aliases) {
      speakers.push({ name: alias, lines: 0, role: `${ALIAS}${name}`, hint: "" });
    }
  }
  for (const [name, lines] of counts) {
    const owner = suspects[name];
    const hint = owner && members.has(owner) ? `perhaps ${owner}?` : "";
    if (!members.has(name)) speakers.push({ name, lines, role: OUTSIDE, hint });
  }
  return speakers;
}

/**
 * @param {Speaker} speaker
 * @param {number} index
 */
function createNameField({ name }, index) {
  const about = { type: "text", value: name, maxlength: 80, name: `speaker-${index}` };
  return createElement("input", { ...about, "aria-label": `Name of ${name}`, autocomplete: "off" });
}

/**
 * @param {Speaker} speaker
 * @param {string[]} cast
 */
function createRoleField({ name, role, hint }, cast) {
  const others = cast.filter((member) => member !== name);
  const options = [
    [IN_CAST, IN_CAST],
    [OUTSIDE, OUTSIDE],
    ...others.map((member) => [`${ALIAS}${member}`, `another name of ${member}`]),
  ].map(([value, text]) => createElement("option", { value }, text));
  const field = createElement("select", { "aria-label": `Who ${name} is` }, ...options);
  field.value = role;
  const note = hint ? [createElement("small", {}, isolateText(hint))] : [];
  return createElement("span", { class: "role" }, field, ...note);
}

/** @param {HTMLElement} field */
function readChoice(field) {
  return field instanceof HTMLSelectElement ? field.value : "";
}
