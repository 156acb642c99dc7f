/**
 * The difference of two versions, line by line.
 */

/** @import { Entry } from "../scene_log.js" */

/** A row of two columns: a line that is in both is in both columns; null is an empty place. */
/** @typedef {{ before: Entry | null, after: Entry | null, same: boolean }} DifferenceRow */

const MOST_PAIRS = 4e6; // of lines to compare: about 50 ms

/** @param {Entry} entry */
const toKey = ({ speaker = null, text }) => JSON.stringify([speaker, text]);

/**
 * Compare two scenes.
 *
 * @param {Entry[]} before
 * @param {Entry[]} after
 * @returns {DifferenceRow[]}
 */
export function compareEntries(before, after) {
  const [old, now] = [before.map(toKey), after.map(toKey)];
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start++;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && old.at(-1 - end) === now.at(-1 - end)) end++;
  const middle = alignMiddle(old.slice(start, old.length - end), now.slice(start, now.length - end));
  const pairs = [
    ...old.slice(0, start).map((_, i) => [i, i]),
    ...middle.map(([i, j]) => [i + start, j + start]),
    ...Array.from({ length: end }, (_, i) => [old.length - end + i, now.length - end + i]),
    [old.length, now.length],
  ];
  /** @type {DifferenceRow[]} */
  const rows = [];
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of pairs) {
    while (i < nextI || j < nextJ) {
      const left = i < nextI ? before[i++] : null;
      rows.push({ before: left, after: j < nextJ ? after[j++] : null, same: false });
    }
    if (i < before.length) rows.push({ before: before[i++], after: after[j++], same: true });
  }
  return rows;
}

/**
 * Find the longest common subsequence.
 *
 * @param {string[]} old
 * @param {string[]} now
 * @returns {[number, number][]} Pairs of indices.
 */
function alignMiddle(old, now) {
  if (old.length * now.length > MOST_PAIRS) return [];
  const width = now.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        old[i] === now[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  /** @type {[number, number][]} */
  const pairs = [];
  for (let i = 0, j = 0; i < old.length && j < now.length; ) {
    if (old[i] === now[j]) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return pairs;
}
