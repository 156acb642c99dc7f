/**
 * The list of the scenes that this browser keeps: open, rename, delete, start a new one.
 */

import { closestTarget, createElement, find, isolateText } from "./dom.js";
import { SceneLog } from "./scene_log.js";
import { isConfirmed } from "./second_click.js";
import { titleOf } from "./storage.js";

/** @import { SceneStorage, StoredScene } from "./storage.js" */

/** The panel with the stored scenes, and the button that shows the open one's title. */
export class SceneList {
  /**
   * @param {HTMLElement} root
   * @param {SceneStorage} storage
   * @param {(scene: StoredScene | null) => void} open Opens a scene; null opens a new one.
   * @param {() => SceneLog | null} current Returns the open scene.
   */
  constructor(root, storage, open, current) {
    this.storage = storage;
    this.open = open;
    this.current = current;
    this.button = find(root, ".scenes");
    this.panel = find(root, "#scenes");
    this.panel.addEventListener("toggle", (event) => {
      if (event.newState === "open") this.#draw();
    });
    this.panel.addEventListener("click", (event) => this.#handleClick(event));
    this.panel.addEventListener("change", ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      storage.rename(target.closest("li")?.dataset.scene ?? "", target.value.trim());
      this.showTitle();
    });
    addEventListener("storage", () => {
      if (this.panel.matches(":popover-open")) this.#draw();
    });
  }

  /** Show the open scene's title on the button and in the browser's tab. */
  showTitle() {
    const log = this.current();
    const title = log ? titleOf(this.storage.scene, log) : "";
    find(this.button, "span").textContent = title;
    this.button.setAttribute("aria-label", `Scenes: ${title}`);
    document.title = title ? `${title} - the writers' room` : "The writers' room";
  }

  #draw() {
    this.storage.flush();
    const list = find(this.panel, "ul");
    list.replaceChildren(...this.storage.list().map((scene) => this.#createItem(scene)));
    if (!list.children.length) {
      list.append(createElement("li", { class: "hint" }, "Nothing is kept yet."));
    }
  }

  /** @param {StoredScene} scene */
  #createItem({ id, name, title = "", saved = 0, journal }) {
    const isOpen = id === this.storage.scene.id;
    const format = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
    const time = new Date(saved).toLocaleString([], format);
    const label = { "aria-label": "Name of the scene" };
    const field = createElement("input", { value: name || title, ...label });
    const attributes = { type: "button", class: "open" };
    const open = createElement("button", attributes, isOpen ? "open here" : "Open");
    open.disabled = isOpen;
    const remove = createElement(
      "button",
      { type: "button", class: "remove", "aria-label": `Delete ${title}` },
      "Delete",
    );
    const { entries } = new SceneLog(journal).scene;
    const size = entries.length === 1 ? "1 line" : `${entries.length} lines`;
    const about = createElement("small", {}, `${time} \u00b7 ${size}`);
    if (entries.length) {
      const { speaker, text } = entries[0];
      about.append(" \u00b7 ", isolateText(`${speaker ?? ""} ${text.slice(0, 60)}`.trim()));
    }
    return createElement("li", { "data-scene": id }, field, about, open, remove);
  }

  /** @param {MouseEvent} event */
  #handleClick(event) {
    const id = closestTarget(event, "li")?.dataset.scene ?? "";
    const remove = closestTarget(event, ".remove");
    if (remove) return this.#remove(remove, id);
    if (closestTarget(event, ".new")) this.open(null);
    else if (closestTarget(event, ".open")) this.open(this.storage.read(id));
    else return;
    this.panel.hidePopover();
  }

  /**
   * Delete a scene at the second click.
   *
   * @param {HTMLElement} button
   * @param {string} id
   */
  #remove(button, id) {
    if (!isConfirmed(button)) return;
    this.storage.remove(id);
    if (id === this.storage.scene.id) this.open(null);
    this.#draw();
  }
}
