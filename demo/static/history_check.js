/**
 * The check of a history that comes from outside: from a link, or from the browser's storage. The
 * server refuses the same (demo/scene/history_log.py); a page that had stored what the server
 * refuses could not be opened again.
 */

/** @import { Entry, HistoryLog } from "./scene_log.js" */

const MAX_VERSIONS = 10_000;
const MAX_ENTRIES = 10_000;

// White space as Python knows it: in a text there are only single spaces, and only inside.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TEXT = new RegExp(`^[^${SPACE}]+(?: [^${SPACE}]+)*$`, "u");
const NAME = /^[\p{L}\p{Nl}\p{No}][\p{L}\p{Nl}\p{No}0-9 .'\-#]{0,24}$/u;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
const isText = (value) => typeof value === "string" && !LONE_SURROGATE.test(value);
/** @type {Check} */
const isInteger = (value) => Number.isInteger(value);
/** @type {Check} */
const isIndex = (value) => Number.isInteger(value) && Number(value) >= 0;
/** @type {Check} */
const isFlag = (value) => typeof value === "boolean";
/** @type {(check: Check) => Check} */
const optional = (check) => (value) => value === undefined || value === null || check(value);
/** @type {(check: Check) => Check} */
const listOf = (check) => (value) => Array.isArray(value) && value.every(check);
/** @type {(check: Check) => Check} */
const missingOr = (check) => (value) => value === undefined || check(value);

/**
 * Check an object that has no other fields than these.
 *
 * @type {(fields: Record<string, Check>) => Check}
 */
const record = (fields) => (value) =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).every((key) => Object.hasOwn(fields, key)) &&
  Object.entries(fields).every(([key, check]) => check(Reflect.get(value, key)));

const FORMS = ["parenthetical", "transition", "heading", "dual"];

/** @type {Check} */
const isName = (value) =>
  typeof value === "string" &&
  NAME.test(value) &&
  TEXT.test(value) &&
  value === value.toUpperCase();

const isTake = record({ model: isText, seed: isInteger, base: missingOr(isText) });
const hasEntryFields = record({
  text: (value) => isText(value) && TEXT.test(String(value)),
  speaker: optional(isName),
  take: optional(isTake),
  edited: missingOr(isFlag),
  form: optional((value) => FORMS.includes(String(value))),
});
const UNSPOKEN = ["transition", "heading"];

/** @type {Check} */
const isEntry = (value) => {
  if (!hasEntryFields(value)) return false;
  const { speaker, form } = /** @type {Entry} */ (value);
  return !form || Boolean(speaker) !== UNSPOKEN.includes(form);
};
const isDirection = record({
  premise: missingOr(isText),
  setting: missingOr(isText),
  present: missingOr(listOf(isText)),
});
const hasFields = record({
  steps: listOf(
    record({
      parent: optional(isIndex),
      start: isIndex,
      removed: isIndex,
      added: listOf(isEntry),
      direction: optional(isDirection),
      take: optional(isTake),
      onward: optional(isIndex),
      name: optional(isText),
    }),
  ),
  at: isIndex,
});

/**
 * Tell whether data are a history: all fields are right, each version has an earlier parent and
 * changes lines that are there, and it is not too long.
 *
 * @param {unknown} data
 * @returns {data is HistoryLog}
 */
export function isHistory(data) {
  if (!hasFields(data)) return false;
  const { steps, at } = /** @type {HistoryLog} */ (data);
  if (at >= steps.length || steps.length > MAX_VERSIONS) return false;
  /** @type {number[]} */
  const sizes = [];
  return steps.every(({ parent, start, removed, added, onward }, i) => {
    const hasParent = parent !== null && parent !== undefined;
    if (hasParent ? parent >= i : i > 0) return false;
    const before = hasParent ? sizes[parent] : 0;
    sizes.push(before - removed + added.length);
    return start + removed <= before && sizes[i] <= MAX_ENTRIES && (onward ?? 0) < steps.length;
  });
}
