import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { SHORTCUTS, describeShortcuts } from "../../../demo/static/shortcuts.js";
import { fakeBrowser } from "./fake_browser.js";

/** @import { Shortcut } from "../../../demo/static/shortcuts.js" */

/** @type {[string, Shortcut][]} */
const ALL = Object.entries(SHORTCUTS);

/** @type {Record<string, string>} */
const NAMES = { Esc: "Escape", "\u2191": "ArrowUp", "\u2193": "ArrowDown", Del: "Delete" };

/**
 * Create the event of a shortcut as it is written.
 *
 * @param {string} keys
 * @returns {KeyboardEvent}
 */
function press(keys) {
  const parts = keys.split("+");
  const key = parts[parts.length - 1];
  const event = {
    key: NAMES[key] ?? key,
    code: /^[A-Z]$/.test(key) ? `Key${key}` : "",
    ctrlKey: parts.includes("Ctrl"),
    shiftKey: parts.includes("Shift"),
    altKey: parts.includes("Alt"),
    metaKey: false,
  };
  return /** @type {KeyboardEvent} */ (event);
}

beforeEach(() => fakeBrowser({ navigator: { platform: "Linux x86_64" } }));

test("every shortcut matches the keys that it names", () => {
  for (const [name, { keys, matches }] of ALL) {
    assert.ok(matches(press(keys)), name);
  }
});

test("no key press is two shortcuts, except in a line and elsewhere", () => {
  const inLine = new Set(["keepEdit", "leaveEdit"]);
  const elsewhere = ALL.filter(([name]) => !inLine.has(name));
  for (const [name, { keys }] of elsewhere) {
    const matching = elsewhere.filter(([, { matches }]) => matches(press(keys)));
    assert.deepEqual(matching.map(([other]) => other), [name]);
  }
});

test("other ways to press a shortcut", () => {
  assert.ok(SHORTCUTS.redo.matches(press("Ctrl+Y")));
  assert.ok(SHORTCUTS.deleteLine.matches(press("Alt+Backspace")));
  assert.ok(SHORTCUTS.retake.matches({ ...press("Alt+R"), key: "\u00ae" }));
  assert.ok(SHORTCUTS.chooseTake.matches(press("9")));
  assert.ok(!SHORTCUTS.chooseTake.matches(press("0")));
  assert.ok(!SHORTCUTS.undo.matches(press("Ctrl+Alt+Z")));
});

test("on a Mac the Command key takes the place of Ctrl", () => {
  fakeBrowser({ navigator: { platform: "MacIntel" } });
  const event = { ...press("Ctrl+Z"), ctrlKey: false, metaKey: true };
  assert.ok(SHORTCUTS.undo.matches(event));
  assert.ok(!SHORTCUTS.undo.matches(press("Ctrl+Z")));
});

test("the help lists every shortcut that has a text", () => {
  const rows = describeShortcuts();
  assert.equal(rows.length, 16);
  assert.deepEqual(rows[0][0], ["Ctrl", "Enter"]);
  for (const [, { keys, help }] of ALL) {
    const listed = rows.some(([parts, text]) => parts.join("+") === keys && text === help);
    assert.equal(listed, help !== undefined);
  }
});
