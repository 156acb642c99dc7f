/**
 * The buttons that save a backup and restore one.
 */

import { closestTarget, find, findInput } from "../dom.js";
import { listEpisodes, removeEpisode, writeEpisode } from "../episodes/episode_store.js";
import { decodeText, saveFile } from "../file_text.js";
import { randomId } from "../random_id.js";
import { mergeBackup, readBackup, writeBackup } from "./backup_file.js";

/** @import { SceneStorage } from "../storage.js" */
/** @import { Backup } from "./backup_file.js" */

/** The two buttons. */
export class BackupButtons {
  /**
   * @param {HTMLElement} root
   * @param {SceneStorage} storage
   * @param {(message: string) => void} report Shows a message to the writer.
   */
  constructor(root, storage, report) {
    this.storage = storage;
    this.report = report;
    this.panel = find(root, "#scenes");
    const file = findInput(root, ".backup-file");
    this.panel.addEventListener("click", (event) => {
      if (closestTarget(event, ".back-up")) this.#save();
      if (closestTarget(event, ".restore")) file.click();
    });
    file.addEventListener("change", async () => {
      const [chosen] = file.files ?? [];
      if (chosen) this.#restore(decodeText(new Uint8Array(await chosen.arrayBuffer())));
      file.value = "";
    });
  }

  /** @returns {Backup} */
  get #present() {
    this.storage.flush();
    return { scenes: this.storage.list(), episodes: listEpisodes() };
  }

  #save() {
    const day = new Date().toISOString().slice(0, 10);
    saveFile(`nothing-gpt-${day}.json`, writeBackup(this.#present));
  }

  /** @param {string} text */
  #restore(text) {
    try {
      const added = mergeBackup(readBackup(text), this.#present, randomId);
      const isStored = this.#store(added);
      this.panel.hidePopover();
      this.report(isStored ? describeRestored(added) : "This browser has no room left for that backup.");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.report(error.message);
    }
  }

  /**
   * Store all of it, or nothing.
   *
   * @param {Backup} added
   */
  #store({ scenes, episodes }) {
    try {
      if (!scenes.every((scene) => this.storage.put(scene))) throw new DOMException("full");
      for (const episode of episodes) writeEpisode(episode);
      return true;
    } catch {
      for (const { id } of scenes) this.storage.remove(id);
      for (const { id } of episodes) removeEpisode(id);
      return false;
    }
  }
}

/** @param {Backup} added */
function describeRestored({ scenes, episodes }) {
  if (!scenes.length && !episodes.length) return "All of that backup is here already.";
  const count = (/** @type {number} */ number, /** @type {string} */ name) =>
    `${number} ${name}${number === 1 ? "" : "s"}`;
  return `Restored: ${count(scenes.length, "scene")}, ${count(episodes.length, "episode")}.`;
}
