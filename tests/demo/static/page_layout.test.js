import assert from "node:assert/strict";
import { test } from "node:test";

import {
  PAGE_LINES,
  describeLength,
  layOutPages,
} from "../../../demo/static/screenplay/page_layout.js";

/** @import { Entry } from "../../../demo/static/scene_log.js" */

/**
 * @param {Entry[]} entries
 * @param {string} [setting]
 */
const layOut = (entries, setting = "") =>
  layOutPages({ entries, direction: { premise: "", setting, present: [] } });

/** @param {string} speaker @param {number} lines */
const speak = (speaker, lines) => ({ speaker, text: Array(lines * 5).fill("words!").join(" ") });

test("elements have their places", () => {
  const [page] = layOut(
    [
      { text: "Rain." },
      { speaker: "DOT", text: "softly", form: "parenthetical" },
      { speaker: "DOT", text: "No." },
      { text: "A bell." },
      { speaker: "DOT", text: "Yes." },
      { text: "Cut to:", form: "transition" },
      { text: "Ext. Street", form: "heading" },
    ],
    "int. office - day",
  );
  assert.deepEqual(page, [
    "INT. OFFICE - DAY",
    "",
    "Rain.",
    "",
    `${" ".repeat(22)}DOT`,
    `${" ".repeat(16)}(softly)`,
    `${" ".repeat(10)}No.`,
    "",
    "A bell.",
    "",
    `${" ".repeat(22)}DOT (CONT'D)`,
    `${" ".repeat(10)}Yes.`,
    "",
    `${" ".repeat(53)}CUT TO:`,
    "",
    "",
    "EXT. STREET",
  ]);
  assert.equal(describeLength([page]), "1 page, about 19 s");
});

test("a speech goes on on the next page under MORE and CONT'D", () => {
  const pages = layOut([speak("DOT", 40), speak("JUNE", 20)]);
  assert.equal(pages.length, 2);
  assert.equal(pages[0].length, PAGE_LINES);
  assert.equal(pages[0].at(-1)?.trim(), "(MORE)");
  assert.equal(pages[1][0].trim(), "JUNE (CONT'D)");
  assert.ok(pages[1].length >= 3);
});

test("a heading is never the last line of a page", () => {
  const street = /** @type {const} */ ({ text: "EXT. STREET", form: "heading" });
  const pages = layOut([speak("DOT", 49), street, speak("JUNE", 5)]);
  assert.equal(pages[1][0], "EXT. STREET");
});

test("dual dialogue stands side by side", () => {
  const [page] = layOut([
    { speaker: "DOT", text: "Left." },
    { speaker: "JUNE", text: "Right.", form: "dual" },
  ]);
  assert.deepEqual(page, [`    DOT${" ".repeat(29)}JUNE`, `Left.${" ".repeat(27)}Right.`]);
});

test("no words are lost, and no page is too long or too wide", () => {
  for (let seed = 1; seed < 60; seed++) {
    const entries = Array.from({ length: 30 }, (_, i) => ({
      speaker: (seed * i) % 4 ? ["DOT", "JUNE", "BEA"][(seed + i) % 3] : null,
      text: Array(1 + ((seed * i * 7) % (seed % 5 ? 90 : 900))).fill(`w${i}`).join(" "),
    }));
    const pages = layOut(entries);
    for (const { text } of entries) {
      const [word] = text.split(" ");
      const found = pages.flat().join(" ").split(/ +/).filter((each) => each === word);
      assert.equal(found.length, text.split(" ").length);
    }
    assert.ok(pages.every((page) => page.length <= PAGE_LINES));
    assert.ok(pages.flat().every((line) => line.length <= 60));
  }
});

test("a word that is wider than the page is broken", () => {
  const [page] = layOut([{ text: "x".repeat(130) }]);
  assert.deepEqual(page.map((line) => line.length), [60, 60, 10]);
});
