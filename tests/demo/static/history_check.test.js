import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { isHistory } from "../../../demo/static/history_check.js";

/**
 * Histories, and whether the server takes them.
 *
 * @type {{ history: unknown, whole: boolean, taken: boolean }[]}
 */
const cases = JSON.parse(readFileSync(process.env.CHECKS_FILE ?? "", "utf8"));

test("every history that the server has written is taken", () => {
  for (const { history, whole } of cases) if (whole) assert.ok(isHistory(history));
});

test("nothing is taken that the server refuses", () => {
  for (const { history, taken } of cases) {
    if (isHistory(history)) assert.ok(taken, JSON.stringify(history));
  }
  assert.ok(cases.some(({ taken }) => !taken));
});

test("parents in a circle are refused", () => {
  const step = { start: 0, removed: 0, added: [] };
  assert.ok(isHistory({ steps: [step, { ...step, parent: 0 }], at: 1 }));
  const circle = [step, { ...step, parent: 2 }, { ...step, parent: 1 }];
  assert.ok(!isHistory({ steps: circle, at: 2 }));
  assert.ok(!isHistory({ steps: [{ ...step, parent: 0 }], at: 0 }));
});

test("a long text is checked in one pass", () => {
  const text = `${"a ".repeat(200_000)}`;
  assert.ok(!isHistory({ steps: [{ start: 0, removed: 0, added: [{ text }] }], at: 0 }));
  assert.ok(
    isHistory({ steps: [{ start: 0, removed: 0, added: [{ text: text.trim() }] }], at: 0 }),
  );
});
