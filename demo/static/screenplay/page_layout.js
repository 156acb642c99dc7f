/**
 * A scene as pages of a screenplay in the standard format: Courier 12, ten characters an inch and
 * six lines an inch, on US Letter with a left margin of 1.5 inches and the others of one inch.
 */

/** @import { Entry, Scene } from "../scene_log.js" */

export const PAGE_LINES = 54;
const WIDTH = 60; // characters of action
const INDENT = { cue: 22, parenthetical: 16, dialogue: 10 };
const SPEECH_WIDTH = { parenthetical: 25, dialogue: 35 };
const DUAL_WIDTH = 28;
const LEAST = 2; // lines of a speech or an action on either side of a page break

/**
 * Lines that belong together, with empty lines before. A speech has a `cue`, under which it goes on
 * on the next page, and its `parts`; a heading is not the last thing on a page.
 *
 * @typedef {object} Block
 * @property {string[]} lines
 * @property {number} space
 * @property {string} [cue]
 * @property {Entry[]} [parts]
 * @property {boolean} [isHeading]
 */

/**
 * Break a text into lines.
 *
 * @param {string} text
 * @param {number} width
 */
function wrap(text, width) {
  const lines = [""];
  for (let word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] += ` ${word}`;
      continue;
    }
    if (last) lines.push("");
    for (; word.length > width; word = word.slice(width)) {
      lines[lines.length - 1] = word.slice(0, width);
      lines.push("");
    }
    lines[lines.length - 1] = word;
  }
  return lines;
}

/**
 * @param {string[]} lines
 * @param {number} indent
 */
const indentLines = (lines, indent) => lines.map((line) => " ".repeat(indent) + line);

/**
 * Lay out the parts of one speech below its cue.
 *
 * @param {Entry[]} parts
 * @param {boolean} isDual
 */
function layOutSpeech(parts, isDual) {
  return parts.flatMap(({ text, form }) => {
    const kind = form === "parenthetical" ? "parenthetical" : "dialogue";
    const words = form === "parenthetical" ? `(${text})` : text;
    const width = isDual ? DUAL_WIDTH : SPEECH_WIDTH[kind];
    return indentLines(wrap(words, width), isDual ? 0 : INDENT[kind]);
  });
}

/**
 * Collect the entries of each speech: parentheticals and what follows them.
 *
 * @param {Entry[]} entries
 * @returns {Entry[][]} Other entries stand alone.
 */
function groupSpeeches(entries) {
  /** @type {Entry[][]} */
  const groups = [];
  for (const entry of entries) {
    const last = groups.at(-1)?.at(-1);
    const inside = entry.form === "parenthetical" || last?.form === "parenthetical";
    const isOne = entry.speaker && last?.speaker === entry.speaker;
    if (isOne && inside) groups.at(-1)?.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/**
 * Turn a scene into blocks.
 *
 * @param {Scene} scene
 * @returns {Block[]}
 */
function createBlocks({ entries, direction }) {
  /** @type {Block[]} */
  const blocks = [];
  const addHeading = (/** @type {string} */ text) =>
    blocks.push({ lines: wrap(text.toUpperCase(), WIDTH), space: 2, isHeading: true });
  if (direction.setting) addHeading(direction.setting);
  let speaker = "";
  for (const group of groupSpeeches(entries)) {
    const [{ text, form }] = group;
    const name = group[0].speaker ?? "";
    if (name) {
      const cue = name + (name === speaker ? " (CONT'D)" : "");
      speaker = name;
      const isDual = group.some((each) => each.form === "dual");
      if (isDual && blocks.at(-1)?.cue) blocks.push(pairSpeeches(blocks, cue, group));
      else {
        const lines = [" ".repeat(INDENT.cue) + cue, ...layOutSpeech(group, false)];
        blocks.push({ lines, space: 1, cue: name, parts: group });
      }
    } else if (form === "heading") {
      speaker = "";
      addHeading(text);
    } else if (form === "transition") {
      speaker = "";
      const lines = wrap(text.toUpperCase(), WIDTH).map((line) => line.padStart(WIDTH));
      blocks.push({ lines, space: 1 });
    } else blocks.push({ lines: wrap(text, WIDTH), space: 1 });
  }
  return blocks;
}

/**
 * Set a speech beside the one before it.
 *
 * @param {Block[]} blocks The last one is replaced.
 * @param {string} cue
 * @param {Entry[]} parts
 * @returns {Block}
 */
function pairSpeeches(blocks, cue, parts) {
  const before = blocks.pop();
  const left = [`    ${before?.lines[0].trim()}`, ...layOutSpeech(before?.parts ?? [], true)];
  const right = [`    ${cue}`, ...layOutSpeech(parts, true)];
  const height = Math.max(left.length, right.length);
  const lines = Array.from({ length: height }, (_, i) => {
    return ((left[i] ?? "").padEnd(DUAL_WIDTH + 4) + (right[i] ?? "")).trimEnd();
  });
  return { lines, space: 1 };
}

/**
 * Lay out a scene.
 *
 * @param {Scene} scene
 * @returns {string[][]} The lines of each page; there is at least one page.
 */
export function layOutPages(scene) {
  const blocks = createBlocks(scene);
  /** @type {string[][]} */
  const pages = [[]];
  blocks.forEach((block, i) => {
    const next = blocks[i + 1];
    // A heading stays with the first lines of what it is above.
    const kept = block.isHeading && next ? next.space + Math.min(next.lines.length, LEAST) : 0;
    placeBlock(pages, block, kept);
  });
  return pages;
}

/**
 * Add a block to the last page, and to new ones as far as it does not fit.
 *
 * @param {string[][]} pages
 * @param {Block} block
 * @param {number} kept Lines that must fit below it.
 */
function placeBlock(pages, { lines, space, cue }, kept) {
  const page = pages[pages.length - 1];
  const blank = page.length ? space : 0;
  const room = PAGE_LINES - page.length - blank;
  if (lines.length + kept <= room) {
    page.push(...Array(blank).fill(""), ...lines);
    return;
  }
  const head = cue ? 1 : 0; // the cue stays with the first lines below it
  const fits = Math.min(room - head, lines.length - LEAST);
  if (!kept && fits >= LEAST + head) {
    const more = cue ? [" ".repeat(INDENT.cue) + "(MORE)"] : [];
    const again = cue ? [`${" ".repeat(INDENT.cue)}${cue} (CONT'D)`] : [];
    page.push(...Array(blank).fill(""), ...lines.slice(0, fits), ...more);
    pages.push([]);
    placeBlock(pages, { lines: [...again, ...lines.slice(fits)], space, cue }, 0);
  } else if (page.length) {
    pages.push([]);
    placeBlock(pages, { lines, space, cue }, kept);
  } else {
    pages[pages.length - 1] = lines.slice(0, PAGE_LINES);
    pages.push([]);
    placeBlock(pages, { lines: lines.slice(PAGE_LINES), space, cue }, 0);
  }
}

/**
 * Say how long a script is: a page takes about a minute.
 *
 * @param {string[][]} pages
 */
export function describeLength(pages) {
  const full = pages.length - 1;
  const seconds = Math.round(60 * (full + pages[full].length / PAGE_LINES));
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  const time = minutes ? `${minutes} min ${rest} s` : `${rest} s`;
  return `${pages.length === 1 ? "1 page" : `${pages.length} pages`}, about ${time}`;
}
