import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { SceneLog } from "../../../demo/static/scene_log.js";
import { logsFile, needsFiles, vectors } from "./vectors.js";

/** @import { State } from "./vectors.js" */

/** @param {string} text */
const entry = (text) => ({ text, speaker: "DOT", edited: false });

/**
 * @param {number} parent
 * @param {number} start
 * @param {string} text
 */
const append = (parent, start, text) => ({ parent, start, removed: 0, added: [entry(text)] });

/** @param {SceneLog} log */
const texts = (log) => log.scene.entries.map(({ text }) => text);

/**
 * Describe a log as test_javascript.py describes a history.
 *
 * @param {SceneLog} log
 * @returns {State}
 */
function describe(log) {
  const { parent, onward } = log.steps[log.at];
  const parents = new Set(log.steps.map((step) => step.parent));
  let current = log.at;
  for (let next = onward; next !== undefined && next !== null; next = log.steps[current].onward) {
    current = next;
  }
  const ends = log.steps.map((_, i) => i).filter((i) => !parents.has(i));
  return {
    at: log.at,
    scene: log.scene,
    undo: parent ?? null,
    redo: onward ?? null,
    branches: ends.reverse().map((end) => [end, end === current]),
  };
}

test("a blank log has one version", () => {
  const log = new SceneLog(null);
  assert.ok(log.isBlank);
  assert.deepEqual(log.scene.entries, []);
  assert.equal(log.steps.length, 1);
});

test("undo, redo and a change after an undo", () => {
  const log = new SceneLog(null);
  log.apply({ steps: [[1, append(0, 0, "One.")]], at: 1 });
  log.apply({ steps: [[2, append(1, 1, "Two.")]], at: 2 });
  log.apply({ at: 1 });
  assert.deepEqual(texts(log), ["One."]);
  assert.deepEqual(describe(log).branches, [[2, true]]);
  assert.equal(log.steps[1].onward, 2);
  log.apply({ at: 2 });
  assert.deepEqual(texts(log), ["One.", "Two."]);
  log.apply({ at: 1 });
  log.apply({ steps: [[3, append(1, 0, "Before.")]], at: 3 });
  assert.deepEqual(texts(log), ["Before.", "One."]);
  assert.deepEqual(describe(log).branches, [[3, true], [2, false]]);
});

test("a version that grows, also while another is open", () => {
  const log = new SceneLog(null);
  log.apply({ steps: [[1, append(0, 0, "One.")]], at: 1 });
  log.apply({ extended: [[1, [entry("Two.")]]], at: 1 });
  assert.deepEqual(texts(log), ["One.", "Two."]);
  log.apply({ extended: [[1, [entry("Three.")]]], at: 0 });
  assert.deepEqual(texts(log), []);
  log.apply({ at: 1 });
  assert.deepEqual(texts(log), ["One.", "Two.", "Three."]);
});

test("the snapshot is the scene without its history", () => {
  const log = new SceneLog(null);
  const direction = { premise: "Tea.", setting: "", present: ["DOT"] };
  log.apply({ steps: [[1, { ...append(0, 0, "One."), direction }]], at: 1 });
  const copy = new SceneLog(log.snapshot);
  assert.deepEqual(copy.scene, log.scene);
  assert.equal(copy.steps.length, 1);
  assert.ok(!copy.isBlank);
});

test("ends as Python's histories do", needsFiles, () => {
  const logs = [];
  for (const { messages, states, scenes } of vectors) {
    const log = new SceneLog(null);
    messages.forEach(({ patches }, i) => {
      log.apply(patches[patches.length - 1]);
      assert.deepEqual(describe(log), states[i]);
    });
    assert.deepEqual(scenes.map((_, i) => log.sceneAt(i)), scenes);
    logs.push(log.history);
  }
  writeFileSync(logsFile, JSON.stringify(logs));
});

test("reads the histories that Python writes", needsFiles, () => {
  for (const { log: history, states, scenes } of vectors) {
    const log = new SceneLog(history);
    assert.deepEqual(describe(log), states.at(-1));
    assert.deepEqual(scenes.map((_, i) => log.sceneAt(i)), scenes);
  }
});
