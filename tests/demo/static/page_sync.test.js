import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Outbox } from "../../../demo/static/outbox.js";
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
  const storage = new SceneStorage((text) => shown.push(text));
  const ignore = () => {};
  const outbox = new Outbox(trigger, storage, {
    changed: ignore,
    refused: ({ deed }) => shown.push(`refused: ${deed}`),
    full: ignore,
  });
  const sync = new PageSync(trigger, storage, outbox, {
    opened: (notice) => shown.push(`opened: ${notice}`),
    refused: () => shown.push("refused"),
    voted: () => {},
    updated: (log) => shown.push(log.scene.entries.map(({ text }) => text)),
  });
  return { sync, sent, shown, outbox, storage };
}

/**
 * @param {number} count
 * @param {Partial<Patch>} [rest]
 * @returns {Patch}
 */
const patch = (count, rest = {}) => ({
  count,
  shown: 0,
  memory: 0,
  acted: 0,
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

test("actions are sent one after the other, and again until they are confirmed", () => {
  const tick = fakeTimers();
  const { sync, sent, outbox, storage } = createPage();
  sync.send(storage.scene);
  outbox.add({ deed: "write", text: "One." });
  assert.equal(sent.length, 1);
  const { run } = sent[0];
  sync.receive({ run, patches: [patch(1)] });
  outbox.add({ deed: "write", text: "Two." });
  tick(4000);
  const texts = () => sent.slice(1).map(({ text, number, run: at }) => [text, number, at]);
  assert.deepEqual(texts(), [
    ["One.", 1, run],
    ["One.", 1, run],
  ]);
  sync.receive({ run, patches: [patch(2, { steps: [[1, added]], at: 1, acted: 1 })] });
  assert.deepEqual(texts().at(-1), ["Two.", 2, run]);
  sync.receive({ run, patches: [patch(3, { at: 1, acted: 2, refused: 1 })] });
  assert.ok(outbox.isIdle);
  tick(4000);
  assert.equal(sent.length, 4);
});

test("a server that was started again gets the scene before the action", () => {
  const { sync, sent, shown, outbox } = createPage();
  sync.send(null);
  sync.receive({ run: sent[0].run, patches: [patch(1, { steps: [[1, added]], at: 1 })] });
  outbox.add({ deed: "undo" });
  sync.receive({ run: "", patches: [patch(1)] });
  const hello = sent.at(-1);
  assert.deepEqual([hello.event, hello.resumed, hello.journal.at], ["hello", true, 1]);
  outbox.add({ deed: "redo" });
  assert.equal(sent.at(-1), hello);
  sync.receive({ run: hello.run, patches: [patch(1, { at: 1 })] });
  const { deed, number, run } = sent.at(-1);
  assert.deepEqual([deed, number, run], ["undo", 1, hello.run]);
  assert.equal(shown.filter((each) => each === "opened: ").length, 1);
});

test("actions wait beside the scene until it is stored with them", () => {
  const tick = fakeTimers();
  const { sync, sent, outbox } = createPage();
  sync.send(null);
  const { run } = sent[0];
  sync.receive({ run, patches: [patch(1)] });
  outbox.add({ deed: "write", text: "One." });
  outbox.add({ deed: "proceed" }, "proceed");
  outbox.add({ deed: "write", text: "Two." });
  /** @param {{ outbox: Outbox }} page */
  const waiting = (page) => page.outbox.actions.map(({ fields }) => fields.text);
  const reload = () => {
    const page = createPage();
    page.storage.open(page.storage.readLast());
    page.outbox.open();
    return page;
  };
  assert.deepEqual(waiting(reload()), ["One.", "Two."]);
  sync.receive({ run, patches: [patch(2, { steps: [[1, added]], at: 1, acted: 1 })] });
  assert.deepEqual(waiting(reload()), ["One.", "Two."]);
  tick(250);
  const page = reload();
  assert.deepEqual(waiting(page), ["Two."]);
  assert.deepEqual(
    page.outbox.actions.map(({ number }) => number),
    [2],
  );
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
