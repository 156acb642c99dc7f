import assert from "node:assert/strict";
import { test } from "node:test";

import { mergeBackup, readBackup, writeBackup } from "../../../demo/static/backup/backup_file.js";
import {
  addScene,
  describeScene,
  isEpisode,
  listBefore,
  moveScene,
  removeScene,
  splitScene,
} from "../../../demo/static/episodes/episode.js";
import { SceneLog } from "../../../demo/static/scene_log.js";

/** @import { Episode } from "../../../demo/static/episodes/episode.js" */
/** @import { StoredScene } from "../../../demo/static/storage.js" */

/** @param {string} id */
const part = (id) => ({ id, heading: "", outline: `Happens in ${id}.` });

/** @param {string[]} ids */
const episodeOf = (ids) => ({ id: "e", title: "One", scenes: ids.map(part) });

/** @param {Episode} episode */
const idsOf = ({ scenes }) => scenes.map(({ id }) => id).join("");

test("a scene is added after another one, once", () => {
  assert.equal(idsOf(addScene(episodeOf(["a", "b"]), part("c"), "a")), "acb");
  assert.equal(idsOf(addScene(episodeOf(["a", "b"]), part("c"))), "abc");
  assert.equal(idsOf(addScene(episodeOf(["a", "b"]), part("a"), "b")), "ba");
});

test("scenes are moved as far as there is room, and none is lost", () => {
  for (const ids of [["a"], ["a", "b"], ["a", "b", "c", "d"]]) {
    for (const id of ids) {
      for (const step of [-9, -1, 0, 1, 9]) {
        const moved = moveScene(episodeOf(ids), id, step);
        assert.deepEqual([...idsOf(moved)].sort(), ids);
        const to = Math.min(Math.max(ids.indexOf(id) + step, 0), ids.length - 1);
        assert.equal(moved.scenes[to].id, id);
      }
    }
  }
  assert.equal(idsOf(moveScene(episodeOf(["a", "b"]), "x", 1)), "ab");
});

test("what happened before are the outlines of earlier scenes", () => {
  const episode = describeScene(episodeOf(["a", "b", "c"]), "b", { outline: " " });
  assert.deepEqual(listBefore(episode, "c"), ["Happens in a."]);
  assert.deepEqual(listBefore(episode, "a"), []);
  assert.deepEqual(listBefore(episode, "x"), []);
  assert.deepEqual(listBefore(removeScene(episode, "a"), "c"), []);
});

test("a split scene has all lines once, and a heading becomes the setting", () => {
  const entries = ["One.", "Two.", "Three."].map((text) => ({ text, speaker: "DOT" }));
  const direction = { premise: "A hat.", setting: "OFFICE", present: ["DOT"] };
  for (let index = 0; index <= entries.length; index++) {
    const { heading, history } = splitScene({ entries, direction }, index);
    const { scene } = new SceneLog(history);
    assert.equal(heading, "OFFICE");
    assert.deepEqual([...entries.slice(0, index), ...scene.entries], entries);
    assert.deepEqual(scene.direction, { ...direction, premise: "" });
  }
  /** @type {import("../../../demo/static/scene_log.js").Entry} */
  const yard = { text: "YARD", speaker: null, form: "heading" };
  const { heading, history } = splitScene({ entries: [...entries, yard, entries[0]], direction }, 3);
  assert.equal(heading, "YARD");
  assert.deepEqual(new SceneLog(history).scene.entries, [entries[0]]);
});

/**
 * @param {string} id
 * @param {string} text
 * @returns {StoredScene}
 */
const stored = (id, text) => {
  const first = { parent: null, start: 0, removed: 0, added: [] };
  const second = { parent: 0, start: 0, removed: 0, added: [{ text, speaker: "DOT" }] };
  return { id, name: "", title: text, saved: 1, journal: { steps: [first, second], at: 1 } };
};

const backup = { scenes: [stored("a", "One."), stored("b", "Two.")], episodes: [episodeOf(["a", "b"])] };

test("a backup holds every version, and is restored whole into an empty browser", () => {
  const read = readBackup(writeBackup(backup));
  assert.deepEqual(read, backup);
  assert.deepEqual(mergeBackup(read, { scenes: [], episodes: [] }, () => "new"), backup);
  assert.deepEqual(mergeBackup(read, backup, () => "new"), { scenes: [], episodes: [] });
});

test("what has changed since a backup stays, and the restored one is a copy", () => {
  const present = { scenes: [stored("a", "Changed."), backup.scenes[1]], episodes: backup.episodes };
  let count = 0;
  const added = mergeBackup(backup, present, () => `new${++count}`);
  assert.deepEqual(added.scenes, [
    { ...backup.scenes[0], id: "new1", name: "One. (restored)", title: "One. (restored)" },
  ]);
  const [episode] = added.episodes;
  assert.deepEqual([episode.id, episode.title], ["new2", "One (restored)"]);
  assert.deepEqual(episode.scenes.map(({ id }) => id), ["new1", "b"]);
});

test("what is no backup is refused in words", () => {
  const badScenes = [{ id: "a\"]" }, { made: 5 }, { saved: "x" }, { name: 5 }].map((wrong) => ({
    ...backup,
    scenes: [{ ...backup.scenes[0], ...wrong }],
  }));
  const damaged = { ...backup, scenes: [{ ...backup.scenes[0], journal: { steps: 5 } }] };
  const data = JSON.parse(writeBackup(backup));
  for (const [text, message] of [
    ["{", /is no backup/],
    ["null", /is no backup/],
    ['{"kind": "nothing-gpt scene"}', /is no backup/],
    [JSON.stringify({ ...data, version: 2 }), /newer room/],
    [JSON.stringify({ ...data, ...damaged }), /damaged/],
    ...badScenes.map((bad) => [JSON.stringify({ ...data, ...bad }), /damaged/]),
    [JSON.stringify({ ...data, episodes: [{}] }), /damaged/],
  ]) {
    assert.throws(() => readBackup(String(text)), { name: "TypeError", message });
  }
  assert.ok(!isEpisode(null));
});
