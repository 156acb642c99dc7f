/**
 * The scenes that this browser keeps, in its localStorage and nowhere else.
 *
 * `gr.BrowserState` would send the whole scene both ways at every change and hold one value for
 * all tabs. Here each scene has its own key. A tab that finds its scene changed by another tab
 * saves its own version as a copy.
 */

import { forgetScene } from "./episodes/episode_store.js";
import { isHistory } from "./history_check.js";
import { removePlace } from "./kept/scene_place.js";
import { randomId } from "./random_id.js";
import { SceneLog } from "./scene_log.js";
import { removeWords } from "./word_store.js";

/** @import { HistoryLog } from "./scene_log.js" */

/**
 * A scene as it is stored. `name` is what the writer called it, `title` what the list shows,
 * `stamp` a random number of the last save, `saved` its time in milliseconds, `acted` the number
 * of the last action that it contains (outbox.js).
 *
 * @typedef {object} StoredScene
 * @property {string} id
 * @property {string} name
 * @property {string} [title]
 * @property {number} [stamp]
 * @property {number} [saved]
 * @property {number} [acted]
 * @property {number[]} [made] When each version was made, in milliseconds.
 * @property {Partial<HistoryLog>} [journal]
 */

const SCENE_PREFIX = "nothing-gpt/scene/";
const OPEN_SCENE = "nothing-gpt/open";
const SAVE_DELAY = 250; // milliseconds

/** @returns {StoredScene} */
const newScene = () => ({ id: randomId(), name: "" });

const newStamp = () => crypto.getRandomValues(new Uint32Array(1))[0];

/**
 * Choose the title of a scene: its name, premise or first line.
 *
 * @param {{ name?: string }} stored
 * @param {SceneLog} log
 * @returns {string}
 */
export function titleOf({ name }, { scene }) {
  const first = scene.entries[0]?.text.slice(0, 60);
  return name || scene.direction.premise || first || "Untitled scene";
}

/** The stored scenes, and which of them this tab has open. */
export class SceneStorage {
  /** @param {(message: string) => void} report Shows a message to the writer. */
  constructor(report) {
    this.report = report;
    this.scene = newScene();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {SceneLog | null} */
    this.unsaved = null;
    /** Called after the open scene was stored. */
    this.onSaved = () => {};
  }

  /**
   * Read a stored scene.
   *
   * @param {string} id
   * @returns {StoredScene | null} Null if it is unreadable, or if there is no storage at all.
   */
  read(id) {
    try {
      const scene = JSON.parse(localStorage.getItem(SCENE_PREFIX + id) ?? "null");
      return isHistory(scene.journal) ? scene : null;
    } catch {
      return null;
    }
  }

  /** List the stored scenes, the last saved first. */
  list() {
    /** @type {string[]} */
    const keys = [];
    try {
      for (let i = 0; i < localStorage.length; i++) keys.push(localStorage.key(i) ?? "");
    } catch {
      return [];
    }
    return keys
      .filter((key) => key.startsWith(SCENE_PREFIX))
      .map((key) => this.read(key.slice(SCENE_PREFIX.length)))
      .filter((scene) => scene !== null)
      .sort((a, b) => (b.saved ?? 0) - (a.saved ?? 0));
  }

  /**
   * Read the scene that this tab had open, or the one saved last in a new tab or if the tab's
   * scene is damaged.
   */
  readLast() {
    const id = sessionStorage.getItem(OPEN_SCENE);
    const open = id ? this.read(id) : null;
    if (open) return open;
    // A scene without a line is not stored, but words can wait beside it.
    if (id && localStorage.getItem(SCENE_PREFIX + id) === null) return { id, name: "" };
    return this.list()[0] ?? null;
  }

  /**
   * Make a scene the open one. Null opens a new scene.
   *
   * @param {StoredScene | null} scene
   */
  open(scene) {
    this.flush();
    const { id, name, stamp, acted } = scene ?? newScene();
    this.scene = { id, name, stamp, acted };
    this.unsaved = null;
    sessionStorage.setItem(OPEN_SCENE, this.scene.id);
  }

  /**
   * Save the open scene soon.
   *
   * @param {SceneLog} log
   */
  scheduleSave(log) {
    this.unsaved = log;
    this.timer ??= setTimeout(() => this.flush(), SAVE_DELAY);
  }

  /**
   * Store a scene without lines: words wait beside it, and a new tab finds it by the scene.
   *
   * @param {SceneLog} log
   */
  keepBlank(log) {
    if (this.read(this.scene.id)) return;
    this.unsaved = log;
    this.flush({ evenBlank: true });
  }

  /** Save the open scene now, if it has changed. */
  flush({ evenBlank = false } = {}) {
    clearTimeout(this.timer);
    this.timer = undefined;
    const log = this.unsaved;
    if (!log || (log.isBlank && !evenBlank && !this.read(this.scene.id))) return;
    this.unsaved = null;
    const stored = this.read(this.scene.id);
    // Another tab deleted it; it is saved again.
    if (this.scene.stamp && !stored) this.scene.stamp = undefined;
    if (stored && stored.stamp !== this.scene.stamp) {
      const { acted } = this.scene;
      this.scene = { ...newScene(), acted, name: `${titleOf(this.scene, log)} (copy)` };
      sessionStorage.setItem(OPEN_SCENE, this.scene.id);
      this.report("This scene was changed in another tab; yours goes on as a copy beside it.");
    }
    this.scene.stamp = newStamp();
    const title = titleOf(this.scene, log);
    const about = { title, saved: Date.now(), journal: log.history, made: log.made };
    if (this.#write({ ...this.scene, ...about }, log)) this.onSaved();
  }

  /**
   * Make a scene of a history that comes from elsewhere.
   *
   * @param {Partial<HistoryLog>} history
   * @param {string} [name]
   * @returns {StoredScene}
   */
  make(history, name = "") {
    const log = new SceneLog(history);
    const about = { stamp: newStamp(), title: titleOf({ name }, log), saved: Date.now() };
    return { ...newScene(), name, ...about, journal: log.history };
  }

  /**
   * Store such a scene as the next one to open.
   *
   * @param {Partial<HistoryLog>} history
   * @param {string} [name]
   * @returns {StoredScene}
   */
  add(history, name = "") {
    const scene = this.make(history, name);
    const isStored = this.#write(scene, new SceneLog(scene.journal));
    if (isStored) sessionStorage.setItem(OPEN_SCENE, scene.id);
    return scene;
  }

  /**
   * Store a whole scene, with all of its versions or not at all.
   *
   * @param {StoredScene} scene
   * @returns {boolean} Whether there was room for it.
   */
  put(scene) {
    try {
      localStorage.setItem(SCENE_PREFIX + scene.id, JSON.stringify(scene));
      return true;
    } catch {
      return false;
    }
  }

  /**
   * @param {StoredScene} scene
   * @param {SceneLog} log
   * @returns {boolean} Whether there was room for it.
   */
  #write(scene, log) {
    const key = SCENE_PREFIX + scene.id;
    try {
      localStorage.setItem(key, JSON.stringify(scene));
    } catch {
      // The storage is full: save the scene without its history.
      try {
        localStorage.setItem(key, JSON.stringify({ ...scene, journal: log.snapshot }));
      } catch {
        this.report(
          "This browser has no room left to keep the scene; export it, or delete old scenes.",
        );
        return false;
      }
    }
    return true;
  }

  /**
   * @param {string} id
   * @param {string} name
   */
  rename(id, name) {
    const scene = this.read(id);
    if (scene) {
      const title = titleOf({ name }, new SceneLog(scene.journal));
      localStorage.setItem(SCENE_PREFIX + id, JSON.stringify({ ...scene, name, title }));
    }
    if (id === this.scene.id) this.scene.name = name;
  }

  /** @param {string} id */
  remove(id) {
    localStorage.removeItem(SCENE_PREFIX + id);
    removeWords(id);
    removePlace(id);
    forgetScene(id);
  }
}
