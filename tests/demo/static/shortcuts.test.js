import assert from "node:assert/strict";
import { test } from "node:test";

import { SHORTCUTS, describeShortcuts } from "../../../demo/static/shortcuts.js";

const NAMES = { Esc: "Escape", "\u2191": "ArrowUp", "\u2193": "ArrowDown", Del: "Delete" };

/** Create the event of a shortcut as it is written. */
function press(keys) {
  const parts = keys.split("+");
  const key = parts.at(-1);
  return {
    key: NAMES[key] ?? key,
    code: /^[A-Z]$/.test(key) ? `Key${key}` : "",
    ctrlKey: parts.includes("Ctrl"),
    shiftKey: parts.includes("Shift"),
    altKey: parts.includes("Alt"),
    metaKey: false,
  };
}

test("every shortcut matches the keys that it names", () => {
  for (const [name, { keys, matches }] of Object.entries(SHORTCUTS)) {
    assert.ok(matches(press(keys)), name);
  }
});

test("no key press is two shortcuts, except in a line and elsewhere", () => {
  const inLine = new Set(["keepEdit", "discardEdit"]);
  for (const [name, { keys }] of Object.entries(SHORTCUTS)) {
    const matching = Object.entries(SHORTCUTS)
      .filter(([other, { matches }]) => matches(press(keys)) && !inLine.has(other))
      .map(([other]) => other);
    assert.deepEqual(matching, inLine.has(name) ? matching : [name]);
  }
});

test("other ways to press a shortcut", () => {
  assert.ok(SHORTCUTS.redo.matches({ ...press("Ctrl+Y") }));
  assert.ok(SHORTCUTS.deleteLine.matches(press("Alt+Backspace")));
  assert.ok(SHORTCUTS.retake.matches({ ...press("Alt+R"), key: "\u00ae" }));
  assert.ok(SHORTCUTS.chooseTake.matches(press("9")));
  assert.ok(!SHORTCUTS.chooseTake.matches(press("0")));
  assert.ok(!SHORTCUTS.undo.matches(press("Ctrl+Alt+Z")));
});

test("the help lists every shortcut that has a text", () => {
  const rows = describeShortcuts();
  assert.equal(rows.length, 13);
  assert.deepEqual(rows[0][0], ["Ctrl", "Enter"]);
  for (const { keys, help } of Object.values(SHORTCUTS)) {
    const listed = rows.some(([parts, text]) => parts.join("+") === keys && text === help);
    assert.equal(listed, help !== undefined);
  }
});
