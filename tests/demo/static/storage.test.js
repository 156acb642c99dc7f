import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { SceneLog } from "../../../demo/static/scene_log.js";
import { SceneStorage } from "../../../demo/static/storage.js";
import { FakeStorage, fakeBrowser, fakeTimers, openTab } from "./fake_browser.js";

/** @param {string} text */
const entry = (text) => ({ text, speaker: "DOT", edited: false });

/** @param {string} text */
const write = (text) => {
  const log = new SceneLog(null);
  log.apply({ steps: [[1, { parent: 0, start: 0, removed: 0, added: [entry(text)] }]], at: 1 });
  return log;
};

/**
 * @param {SceneStorage} storage
 * @param {SceneLog} log
 */
const save = (storage, log) => {
  storage.scheduleSave(log);
  storage.flush();
};

const createStorage = () => {
  /** @type {string[]} */
  const reports = [];
  const storage = new SceneStorage((text) => reports.push(text));
  return { storage, reports };
};

beforeEach(() => {
  fakeBrowser();
  fakeTimers();
});

test("a scene is kept under its own key and read again", () => {
  const { storage } = createStorage();
  storage.open(null);
  const log = write("One.");
  save(storage, log);
  const key = `nothing-gpt/scene/${storage.scene.id}`;
  assert.equal(localStorage.length, 1);
  assert.equal(sessionStorage.getItem("nothing-gpt/open"), storage.scene.id);
  const stored = JSON.parse(localStorage.getItem(key) ?? "null");
  const fields = ["id", "journal", "made", "name", "saved", "stamp", "title"];
  assert.deepEqual(Object.keys(stored).sort(), fields);
  assert.equal(stored.title, "One.");
  assert.deepEqual(new SceneLog(stored.journal).scene, log.scene);
  assert.deepEqual(createStorage().storage.readLast(), stored);
});

test("a blank scene is not kept", () => {
  const { storage } = createStorage();
  storage.open(null);
  save(storage, new SceneLog(null));
  assert.equal(localStorage.length, 0);
});

test("a save is delayed, and happens once", () => {
  const tick = fakeTimers();
  const { storage } = createStorage();
  storage.open(null);
  storage.scheduleSave(write("One."));
  storage.scheduleSave(write("Two."));
  assert.equal(localStorage.length, 0);
  tick(250);
  assert.deepEqual(storage.list().map(({ title }) => title), ["Two."]);
});

test("the list has the last saved scene first, and only scenes", () => {
  const { storage } = createStorage();
  for (const [id, saved] of Object.entries({ a: 1, b: 3, c: 2 })) {
    const scene = { id, name: "", saved, journal: write(id).history };
    localStorage.setItem(`nothing-gpt/scene/${id}`, JSON.stringify(scene));
  }
  localStorage.setItem("nothing-gpt/scene/damaged", "{");
  localStorage.setItem("nothing-gpt/scene/empty", "{}");
  localStorage.setItem("elsewhere", "{}");
  assert.deepEqual(storage.list().map(({ id }) => id), ["b", "c", "a"]);
  assert.equal(storage.readLast()?.id, "b");
});

test("a scene that another tab changed goes on as a copy", () => {
  const first = createStorage();
  first.storage.open(null);
  save(first.storage, write("One."));
  const stored = first.storage.readLast();
  openTab();
  const second = createStorage();
  second.storage.open(stored);
  save(second.storage, write("Two."));
  save(first.storage, write("Three."));
  assert.match(first.reports[0], /goes on as a copy/);
  assert.deepEqual(second.reports, []);
  assert.notEqual(first.storage.scene.id, stored?.id);
  assert.equal(first.storage.scene.name, "Three. (copy)");
  const kept = first.storage.list().map(({ title }) => title);
  assert.deepEqual(kept.sort(), ["Three. (copy)", "Two."]);
});

test("a scene that another tab deleted is saved again", () => {
  const { storage, reports } = createStorage();
  storage.open(null);
  save(storage, write("One."));
  storage.remove(storage.scene.id);
  save(storage, write("Two."));
  assert.deepEqual(storage.list().map(({ title }) => title), ["Two."]);
  assert.deepEqual(reports, []);
});

test("a scene can be renamed and deleted", () => {
  const { storage } = createStorage();
  storage.open(null);
  save(storage, write("One."));
  storage.rename(storage.scene.id, "The telephone");
  assert.equal(storage.list()[0].title, "The telephone");
  assert.equal(storage.scene.name, "The telephone");
  storage.remove(storage.scene.id);
  assert.deepEqual(storage.list(), []);
});

test("a full storage keeps the scene without its history, or reports it", () => {
  const log = write("One.");
  for (let i = 2; i < 40; i++) log.apply({ steps: [[i, { ...log.steps[1], parent: 0 }]], at: i });
  const size = JSON.stringify(log.history).length;
  const full = new FakeStorage(size - 1);
  fakeBrowser({ localStorage: full });
  const { storage, reports } = createStorage();
  storage.open(null);
  save(storage, log);
  assert.equal(storage.list()[0].journal?.steps?.length, 1);
  assert.deepEqual(reports, []);
  full.room = 0;
  save(storage, log);
  assert.match(reports[0], /no room left/);
});

test("without any storage the page goes on", () => {
  const broken = {
    getItem() {
      throw new Error("denied");
    },
    get length() {
      throw new Error("denied");
    },
  };
  fakeBrowser({ localStorage: broken });
  const { storage } = createStorage();
  assert.deepEqual(storage.list(), []);
  assert.equal(storage.read("a"), null);
});

test("a damaged scene is passed over, and stays as it is", () => {
  const { storage } = createStorage();
  storage.open(null);
  save(storage, write("One."));
  const { id } = storage.scene;
  for (const journal of [{ steps: 5, at: 0 }, { steps: [], at: 0 }, { more: 1 }, "x"]) {
    const damaged = JSON.stringify({ id: "bad", name: "", saved: Date.now() + 1e6, journal });
    localStorage.setItem("nothing-gpt/scene/bad", damaged);
    sessionStorage.setItem("nothing-gpt/open", "bad");
    assert.equal(createStorage().storage.readLast()?.id, id);
    assert.equal(localStorage.getItem("nothing-gpt/scene/bad"), damaged);
  }
});
