import assert from "node:assert/strict";
import { test } from "node:test";

import { compareEntries } from "../../../demo/static/versions/text_difference.js";

/** @param {string} letters One line for each letter. */
const scene = (letters) => [...letters].map((text) => ({ speaker: "DOT", text }));

/**
 * @param {string} before
 * @param {string} after
 */
function compare(before, after) {
  return compareEntries(scene(before), scene(after)).map(
    (row) => `${row.before?.text ?? "-"}${row.same ? "=" : " "}${row.after?.text ?? "-"}`,
  );
}

test("lines that are in both stand beside each other", () => {
  assert.deepEqual(compare("abcd", "axcd"), ["a=a", "b x", "c=c", "d=d"]);
  assert.deepEqual(compare("abc", "ac"), ["a=a", "b -", "c=c"]);
  assert.deepEqual(compare("ac", "abbc"), ["a=a", "- b", "- b", "c=c"]);
  assert.deepEqual(compare("abcde", "xbydz"), ["a x", "b=b", "c y", "d=d", "e z"]);
  assert.deepEqual(compare("", "a"), ["- a"]);
  assert.deepEqual(compare("", ""), []);
});

test("every line of both is in its column, in order", () => {
  const letters = () => Array.from({ length: 9 }, () => "abc"[Math.floor(Math.random() * 3)]).join("");
  for (let i = 0; i < 200; i++) {
    const [before, after] = [letters(), letters()];
    const rows = compareEntries(scene(before), scene(after));
    assert.equal(rows.map((row) => row.before?.text ?? "").join(""), before);
    assert.equal(rows.map((row) => row.after?.text ?? "").join(""), after);
    assert.ok(rows.every((row) => !row.same || row.before?.text === row.after?.text));
  }
});

test("very long scenes are compared from both ends alone", () => {
  const long = Array.from({ length: 9000 }, (_, i) => ({ text: String(i) }));
  const other = long.map(({ text }) => ({ text: Number(text) % 2 ? text : `${text}!` }));
  assert.equal(compareEntries(long, [...other, { text: "end" }]).length, 9001);
});
