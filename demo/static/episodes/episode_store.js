/**
 * The episodes that this browser keeps, each under a key of its own beside the scenes.
 */

import { randomId } from "../random_id.js";
import { isEpisode, listBefore, removeScene } from "./episode.js";

/** @import { Episode } from "./episode.js" */

const PREFIX = "nothing-gpt/episode/";

/**
 * List the stored episodes by their titles.
 *
 * @returns {Episode[]}
 */
export function listEpisodes() {
  try {
    const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
    const texts = keys.filter((key) => key.startsWith(PREFIX)).map(readEpisode);
    const episodes = texts.filter((episode) => episode !== null);
    return episodes.sort((a, b) => a.title.localeCompare(b.title) || a.id.localeCompare(b.id));
  } catch {
    return []; // no storage
  }
}

/** @param {string} key */
function readEpisode(key) {
  try {
    const data = JSON.parse(localStorage.getItem(key) ?? "null");
    return isEpisode(data) ? data : null;
  } catch {
    return null; // another program's text
  }
}

/**
 * Store an episode.
 *
 * @param {Episode} episode
 * @throws {DOMException} The storage is full.
 */
export function writeEpisode(episode) {
  localStorage.setItem(PREFIX + episode.id, JSON.stringify(episode));
}

/** @param {string} id */
export function removeEpisode(id) {
  localStorage.removeItem(PREFIX + id);
}

/**
 * Take a scene that is deleted out of all episodes.
 *
 * @param {string} id
 */
export function forgetScene(id) {
  for (const episode of listEpisodes()) {
    if (episode.scenes.some((scene) => scene.id === id)) writeEpisode(removeScene(episode, id));
  }
}

/** The episodes, and the one that the open scene is in. */
export class EpisodeStore {
  /** @param {(message: string) => void} report Shows a message to the writer. */
  constructor(report) {
    this.report = report;
    /** Called after an episode has changed. */
    this.onChanged = () => {};
    addEventListener("storage", () => this.onChanged());
  }

  /**
   * List what happens before a scene in its episode.
   *
   * @param {string} scene Its id.
   */
  listBefore(scene) {
    const episode = this.find(scene);
    return episode ? listBefore(episode, scene) : [];
  }

  /**
   * Find the episode that a scene is in.
   *
   * @param {string} scene Its id.
   */
  find(scene) {
    return listEpisodes().find(({ scenes }) => scenes.some(({ id }) => id === scene));
  }

  /**
   * Create an episode without scenes.
   *
   * @returns {Episode}
   */
  create() {
    const count = listEpisodes().length + 1;
    const episode = { id: randomId(), title: `Episode ${count}`, scenes: [] };
    this.write(episode);
    return episode;
  }

  /**
   * Change a stored episode, which another tab can have changed too.
   *
   * @param {string} id
   * @param {(episode: Episode) => Episode} change
   */
  change(id, change) {
    const episode = readEpisode(PREFIX + id);
    if (episode) this.write(change(episode));
  }

  /** @param {Episode} episode */
  write(episode) {
    try {
      writeEpisode(episode);
    } catch {
      this.report("This browser has no room left to keep the episode; delete old scenes.");
    }
    this.onChanged();
  }

  /** @param {string} id */
  remove(id) {
    removeEpisode(id);
    this.onChanged();
  }
}
