/**
 * The import of a script, which becomes a new scene.
 */

import { decodeText } from "./file_text.js";

/** @import { Outbox } from "./outbox.js" */
/** @import { PageSync } from "./page_sync.js" */
/** @import { SceneStorage } from "./storage.js" */

/** Imports the files of an input field. */
export class SceneImport {
  /**
   * @param {HTMLInputElement} input
   * @param {SceneStorage} storage
   * @param {Outbox} outbox
   * @param {PageSync} sync
   */
  constructor(input, storage, outbox, sync) {
    this.input = input;
    this.storage = storage;
    this.outbox = outbox;
    this.sync = sync;
    /** The scene that was open before the last import. */
    this.left = "";
    input.addEventListener("change", () => this.#begin());
  }

  /** Ask for a file. */
  choose() {
    this.input.click();
  }

  async #begin() {
    const file = this.input.files?.[0];
    if (!file) return;
    const text = decodeText(new Uint8Array(await file.arrayBuffer()));
    this.input.value = "";
    this.left = this.storage.scene.id;
    const scene = this.storage.add({}, file.name.replace(/\.\w+$/, ""));
    this.outbox.begin(scene.id, { deed: "import", name: file.name, text });
    this.sync.send(scene);
  }

  /** Go back to the scene before a file that the server refused. */
  giveUp() {
    this.storage.remove(this.storage.scene.id);
    this.sync.send(this.storage.read(this.left));
  }
}
