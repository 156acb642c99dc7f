/**
 * The search for a text in the words of a scene; demo/scene/replacement.py replaces what it finds.
 */

/** @import { Entry } from "../scene_log.js" */

/** @typedef {{ find: string, match_case: boolean, whole_words: boolean }} Query */

/** A line with the text: its index, and its words split at each place, so that odd parts match. */
/** @typedef {{ index: number, parts: string[] }} FoundLine */

/**
 * Find the lines with a text.
 *
 * @param {Entry[]} entries
 * @param {Query} query
 * @returns {FoundLine[]}
 */
export function findText(entries, { find, match_case, whole_words }) {
  if (!find) return [];
  const escaped = find.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const letter = "[\\p{L}\\p{N}_]";
  const text = whole_words ? `(?<!${letter})(${escaped})(?!${letter})` : `(${escaped})`;
  const pattern = new RegExp(text, match_case ? "u" : "iu");
  return entries
    .map((entry, index) => ({ index, parts: entry.text.split(pattern) }))
    .filter(({ parts }) => parts.length > 1);
}
