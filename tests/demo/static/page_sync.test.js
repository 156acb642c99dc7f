import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PageSync } from "../../../demo/static/page_sync.js";
import { SceneStorage } from "../../../demo/static/storage.js";
import { fakeBrowser, fakeTimers } from "./fake_browser.js";
import { needsFiles, vectors } from "./vectors.js";

/** @import { Patch } from "../../../demo/static/page_sync.js" */

const entry = { text: "One.", speaker: "DOT", edited: false };
const added = { parent: 0, start: 0, removed: 0, added: [entry] };

/** Create a page, and record what it sends and shows. */
function createPage() {
  /** @type {any[]} */
  const sent = [];
  /** @type {(string | string[])[]} */
  const shown = [];
  /**
   * @param {string} event
   * @param {object} fields
   */
  const trigger = (event, fields) => sent.push({ event, ...fields });
  const sync = new PageSync(trigger, new SceneStorage((text) => shown.push(text)), {
    opened: (notice) => shown.push(`opened: ${notice}`),
    refused: () => shown.push("refused"),
    updated: (log) => shown.push(log.scene.entries.map(({ text }) => text)),
  });
  return { sync, sent, shown };
}

/**
 * @param {number} count
 * @param {Partial<Patch>} [rest]
 * @returns {Patch}
 */
const patch = (count, rest = {}) => ({
  count,
  shown: 0,
  refused: 0,
  at: 0,
  steps: [],
  extended: [],
  quoted: [],
  ...rest,
});

beforeEach(() => {
  fakeBrowser();
  fakeTimers();
});

test("a scene is sent, confirmed and followed", () => {
  const { sync, sent, shown } = createPage();
  sync.send(null, { notice: "Hello." });
  const { event, run, journal } = sent[0];
  assert.deepEqual([event, journal], ["hello", null]);
  sync.receive({ run: "another", patches: [patch(1)] });
  assert.deepEqual(shown, []);
  sync.receive({ run, patches: [patch(1)] });
  sync.receive({ run, patches: [patch(1), patch(2, { steps: [[1, added]], at: 1 })] });
  sync.receive({ run, patches: [patch(2), patch(3, { at: 0, refused: 1 })] });
  assert.deepEqual(shown, ["opened: Hello.", [], ["One."], "refused", []]);
});

test("the server does not send a scene that it got from the page", () => {
  const { sync, sent, shown } = createPage();
  const first = { parent: null, start: 0, removed: 0, added: [entry] };
  sync.send({ id: "a", name: "", journal: { steps: [first], at: 0 } });
  sync.receive({ run: sent[0].run, patches: [patch(1)] });
  assert.deepEqual(shown, ["opened: ", ["One."]]);
});

test("a scene is sent again until the server confirms it", () => {
  const tick = fakeTimers();
  const { sync, sent } = createPage();
  sync.send(null);
  tick(4000);
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[0], sent[1]);
  sync.send(null);
  sync.receive({ run: sent[2].run, patches: [patch(1)] });
  tick(4000);
  assert.equal(sent.length, 3);
});

test("a page that missed too much asks for everything", () => {
  const { sync, sent, shown } = createPage();
  sync.send(null);
  const { run } = sent[0];
  sync.receive({ run, patches: [patch(1)] });
  sync.receive({ run, patches: [patch(3)] });
  assert.equal(sent.at(-1).event, "again");
  const first = { parent: null, start: 0, removed: 0, added: [] };
  sync.receive({ run, patches: [patch(1, { steps: [[0, first], [1, added]], at: 1 })] });
  assert.deepEqual(shown.at(-1), ["One."]);
});

test("a server that was started again gets the scene", () => {
  const { sync, sent } = createPage();
  sync.send(null);
  sync.receive({ run: sent[0].run, patches: [patch(1, { steps: [[1, added]], at: 1 })] });
  sync.receive({ run: "other server", patches: [patch(1)] });
  const { event, run, journal } = sent.at(-1);
  assert.equal(event, "hello");
  assert.notEqual(run, sent[0].run);
  assert.deepEqual(journal.steps[1], added);
  assert.equal(journal.at, 1);
});

test("messages that were skipped are made up for", needsFiles, () => {
  for (const { messages, states } of vectors) {
    const { sync, sent } = createPage();
    sync.send(null);
    const { run } = sent[0];
    messages.forEach(({ patches }, i) => {
      if (i % 5 && i < messages.length - 1) return;
      sync.receive({ run, patches });
      assert.deepEqual(sync.log?.scene, states[i].scene);
    });
    assert.equal(sync.log?.at, states.at(-1)?.at);
    assert.ok(sent.every(({ event }) => event === "hello"));
  }
});
