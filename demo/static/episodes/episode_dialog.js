/**
 * The dialog with an episode: its scenes in order, their headings and outlines, and its export.
 */

import { closestTarget, createElement, createHiddenText, find, findAll, findInput } from "../dom.js";
import { SceneLog } from "../scene_log.js";
import { askAgain, isConfirmed } from "../second_click.js";
import { addScene, describeScene, moveScene, removeScene } from "./episode.js";
import { listEpisodes } from "./episode_store.js";

/** @import { Deed } from "../outbox.js" */
/** @import { SceneStorage, StoredScene } from "../storage.js" */
/** @import { EpisodeScene } from "./episode.js" */
/** @import { EpisodeStore } from "./episode_store.js" */

/**
 * Opens a scene, and gets the export and messages to the writer.
 *
 * @typedef {object} EpisodeListener
 * @property {(scene: StoredScene) => void} open
 * @property {(deed: Deed) => void} send
 * @property {(text: string) => void} report
 */

/** The dialog. */
export class EpisodeDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {EpisodeStore} store
   * @param {SceneStorage} storage
   * @param {EpisodeListener} listener
   */
  constructor(dialog, store, storage, listener) {
    this.dialog = dialog;
    this.store = store;
    this.storage = storage;
    this.listener = listener;
    /** The id of the episode that is shown. */
    this.shown = "";
    this.title = findInput(dialog, "[name=title]");
    this.select = find(dialog, "select");
    this.select.addEventListener("change", () => {
      this.shown = this.#chosen.value;
      this.#draw();
    });
    dialog.addEventListener("input", ({ target }) => this.#keep(target));
    dialog.addEventListener("click", (event) => this.#handleClick(event));
  }

  /** Open with the episode of the open scene. */
  open() {
    this.storage.flush();
    this.shown = this.store.find(this.storage.scene.id)?.id ?? this.shown;
    this.#draw();
    this.dialog.showModal();
  }

  /** The episode that is shown; the first one if there is none. */
  get #episode() {
    const episodes = listEpisodes();
    return episodes.find(({ id }) => id === this.shown) ?? episodes[0] ?? null;
  }

  get #chosen() {
    return /** @type {HTMLSelectElement} */ (this.select);
  }

  #draw() {
    const episode = this.#episode;
    this.shown = episode?.id ?? "";
    const options = listEpisodes().map(({ id, title }) =>
      createElement("option", { value: id }, title || "Untitled episode"),
    );
    this.select.replaceChildren(...options);
    this.#chosen.value = this.shown;
    this.title.value = episode?.title ?? "";
    for (const part of findAll(this.dialog, ".of-episode")) part.hidden = !episode;
    const items = (episode?.scenes ?? []).map((scene, i) => this.#createItem(scene, i));
    find(this.dialog, "ol").replaceChildren(...items);
    const isIn = episode?.scenes.some(({ id }) => id === this.storage.scene.id);
    const button = find(this.dialog, ".add-open");
    if (button instanceof HTMLButtonElement) button.disabled = Boolean(isIn);
    askAgain(find(this.dialog, ".delete"), "Delete the episode");
  }

  /**
   * @param {EpisodeScene} scene
   * @param {number} index
   */
  #createItem({ id, heading, outline }, index) {
    const isOpen = id === this.storage.scene.id;
    const { entries, direction } = new SceneLog(this.storage.read(id)?.journal).scene;
    const number = index + 1;
    const fields = [
      createField("heading", heading, direction.setting || "INT. OFFICE - DAY", number),
      createField("outline", outline, direction.premise || "What happens, in a line", number),
    ];
    const size = entries.length === 1 ? "1 line" : `${entries.length} lines`;
    const hidden = createHiddenText(` scene ${number}`);
    const open = createButton("open", isOpen ? "open here" : "Open", hidden);
    open.disabled = isOpen;
    const [up, down] = [createButton("up", "\u2191"), createButton("down", "\u2193")];
    up.setAttribute("aria-label", `Move scene ${number} up`);
    down.setAttribute("aria-label", `Move scene ${number} down`);
    const out = createButton("take-out", "Take out", hidden.cloneNode(true));
    const buttons = [createElement("small", {}, size), open, up, down, out];
    return createElement("li", { "data-scene": id }, ...fields, createElement("div", {}, ...buttons));
  }

  /**
   * Keep what is typed, at every key.
   *
   * @param {EventTarget | null} target
   */
  #keep(target) {
    if (!(target instanceof HTMLInputElement)) return;
    const value = target.value.trim();
    const id = target.closest("li")?.dataset.scene;
    if (id) {
      const changes = { [target.name]: value };
      this.store.change(this.shown, (each) => describeScene(each, id, changes));
    } else {
      this.store.change(this.shown, (each) => ({ ...each, title: value }));
      const [option] = this.#chosen.selectedOptions;
      if (option) option.textContent = value || "Untitled episode";
    }
  }

  /** @param {MouseEvent} event */
  #handleClick(event) {
    const button = closestTarget(event, "button");
    if (!button) return;
    const id = button.closest("li")?.dataset.scene ?? "";
    const ending = button.dataset.episodeEnding;
    const kind = button.className;
    if (kind === "close") this.dialog.close();
    else if (kind === "create") this.shown = this.store.create().id;
    else if (button.classList.contains("delete")) {
      if (!isConfirmed(button)) return;
      this.store.remove(this.shown);
    }
    else if (kind === "add-open") this.#add(this.storage.scene.id);
    else if (kind === "add-new") this.#addNew();
    else if (kind === "up") this.store.change(this.shown, (each) => moveScene(each, id, -1));
    else if (kind === "down") this.store.change(this.shown, (each) => moveScene(each, id, 1));
    else if (kind === "take-out") this.store.change(this.shown, (each) => removeScene(each, id));
    else if (kind === "open") this.#open(this.storage.read(id));
    else if (ending) this.#export(ending);
    if (!this.dialog.open) return;
    this.#draw();
    // The list is drawn anew, and the cursor stays on the button of the scene that was moved.
    if (id) find(this.dialog, `[data-scene="${id}"] .${kind}`).focus();
  }

  /** @param {StoredScene | null} scene */
  #open(scene) {
    if (!scene) return;
    this.dialog.close();
    this.listener.open(scene);
  }

  /**
   * Add a scene after the open one, or at the end; its setting and premise are offered.
   *
   * @param {string} id
   */
  #add(id) {
    const { direction } = new SceneLog(this.storage.read(id)?.journal).scene;
    const scene = { id, heading: direction.setting, outline: direction.premise };
    this.store.change(this.shown, (each) => addScene(each, scene, this.storage.scene.id));
  }

  #addNew() {
    const scene = this.storage.make({});
    if (!this.storage.put(scene)) {
      this.listener.report("This browser has no room left for another scene.");
      return;
    }
    this.#add(scene.id);
    this.#open(scene);
  }

  /** @param {string} ending */
  #export(ending) {
    const episode = this.#episode;
    if (!episode) return;
    const scenes = episode.scenes.map(({ id, heading, outline }) => ({
      heading,
      outline,
      scene: new SceneLog(this.storage.read(id)?.journal).scene,
    }));
    this.dialog.close();
    this.listener.send({ deed: "export", ending, name: episode.title, episode: { scenes } });
  }
}

/**
 * @param {"heading" | "outline"} name
 * @param {string} value
 * @param {string} placeholder
 * @param {number} number
 */
function createField(name, value, placeholder, number) {
  const label = name === "heading" ? "Heading" : "Outline";
  const about = { "aria-label": `${label} of scene ${number}`, maxlength: 200, autocomplete: "off" };
  return createElement("input", { type: "text", name, value, placeholder, ...about });
}

/**
 * @param {string} kind
 * @param {...(Node | string)} content
 */
function createButton(kind, ...content) {
  return createElement("button", { type: "button", class: kind }, ...content);
}
