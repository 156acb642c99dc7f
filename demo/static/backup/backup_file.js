/**
 * A backup: all scenes with all their versions, and all episodes, in one file.
 */

import { isEpisode, isId } from "../episodes/episode.js";
import { isHistory } from "../history_check.js";

/** @import { Episode } from "../episodes/episode.js" */
/** @import { StoredScene } from "../storage.js" */

/** @typedef {{ scenes: StoredScene[], episodes: Episode[] }} Backup */

const KIND = "nothing-gpt backup"; // demo/formats/scene_json.py knows it too
const VERSION = 1;

/**
 * Write a backup as JSON.
 *
 * @param {Backup} backup
 */
export function writeBackup({ scenes, episodes }) {
  return JSON.stringify({ kind: KIND, version: VERSION, scenes, episodes });
}

/**
 * Read a backup.
 *
 * @param {string} text
 * @returns {Backup}
 * @throws {TypeError} It is none, or it is damaged; the message says which.
 */
export function readBackup(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (data?.kind !== KIND) throw new TypeError("That file is no backup of the writers\u2019 room.");
  if (data.version !== VERSION) throw new TypeError("A newer room wrote that backup; update this one.");
  const { scenes, episodes } = data;
  const isWhole = Array.isArray(scenes) && Array.isArray(episodes);
  if (!isWhole || !scenes.every(isStoredScene) || !episodes.every(isEpisode)) {
    throw new TypeError("That backup is damaged; nothing of it was restored.");
  }
  return { scenes, episodes };
}

/** @param {any} scene */
function isStoredScene(scene) {
  if (!isId(scene?.id) || typeof scene.name !== "string" || !isHistory(scene.journal)) return false;
  const { title = "", made = [], stamp = 0, saved = 0, acted = 0 } = scene;
  const isTime = (/** @type {unknown} */ time) => time === null || Number.isFinite(time);
  const areNumbers = [stamp, saved, acted].every(Number.isFinite);
  return typeof title === "string" && areNumbers && Array.isArray(made) && made.every(isTime);
}

/**
 * Choose what of a backup is to be stored beside what is there. Nothing is replaced: where
 * something else has the same id, the restored one is a copy.
 *
 * @param {Backup} backup
 * @param {Backup} present
 * @param {() => string} createId
 * @returns {Backup}
 */
export function mergeBackup(backup, present, createId) {
  /** @type {Map<string, string>} */
  const ids = new Map();
  /** @type {StoredScene[]} */
  const scenes = [];
  for (const scene of backup.scenes) {
    const known = present.scenes.find(({ id }) => id === scene.id);
    const isSame = known && isEqual([known.name, known.journal], [scene.name, scene.journal]);
    if (isSame) continue;
    if (known) ids.set(scene.id, createId());
    const name = known ? `${scene.name || scene.title || "Scene"} (restored)` : scene.name;
    const id = ids.get(scene.id) ?? scene.id;
    scenes.push(known ? { ...scene, id, name, title: name } : scene);
  }
  /** @type {Episode[]} */
  const episodes = [];
  for (const episode of backup.episodes) {
    const parts = episode.scenes.map((part) => ({ ...part, id: ids.get(part.id) ?? part.id }));
    const mapped = { ...episode, scenes: parts };
    const known = present.episodes.find(({ id }) => id === episode.id);
    if (known && isEqual(known, mapped)) continue;
    const copy = { id: createId(), title: `${episode.title} (restored)` };
    episodes.push(known ? { ...mapped, ...copy } : mapped);
  }
  return { scenes, episodes };
}

/**
 * @param {unknown} a
 * @param {unknown} b
 */
const isEqual = (a, b) => JSON.stringify(a) === JSON.stringify(b);
