/**
 * The script's component: connects the scene, its view, the browser's storage and the server.
 */

import { closestTarget, createElement, find, findAll, isolateText } from "./dom.js";
import { LineMenu } from "./line_menu.js";
import { PageSync } from "./page_sync.js";
import { SceneList } from "./scene_list.js";
import { ScriptView } from "./script_view.js";
import { copyLink, readLink } from "./share_link.js";
import { PageShortcuts } from "./shortcuts.js";
import { SceneStorage } from "./storage.js";

/** @import { GradioComponent } from "./dom.js" */
/** @import { Branch, Opening } from "./page_sync.js" */
/** @import { SceneLog } from "./scene_log.js" */
/** @import { StoredScene } from "./storage.js" */

/** The page's parts and the wiring between them. */
class App {
  /** @param {GradioComponent} component */
  constructor({ element, trigger }) {
    this.element = element;
    this.trigger = trigger;
    const dialog = find(element, "#help");
    if (!(dialog instanceof HTMLDialogElement)) throw new Error("#help is not a dialog");
    this.storage = new SceneStorage((text) => this.report(text));
    this.sync = new PageSync(trigger, this.storage, {
      opened: (notice) => {
        this.report(notice);
        this.view.reset();
      },
      refused: () => this.view.reset(),
      updated: (log, shown) => this.draw(log, shown),
    });
    this.view = new ScriptView(find(element, ".lines"), (action, fields) => {
      trigger("act", { deed: action, ...fields });
    });
    this.menu = new LineMenu(find(element, ".script"), this.view, (action, fields) => {
      trigger(action === "retake" ? "retake" : "act", { deed: action, ...fields });
    });
    this.shortcuts = new PageShortcuts(dialog, this.view);
    this.scenes = new SceneList(
      element,
      this.storage,
      (scene) => this.sync.send(scene),
      () => this.sync.log,
    );
  }

  /** @param {string} text A message to the writer from the page itself. */
  report(text) {
    find(this.element, ".message").textContent = text;
  }

  /** Open the scene in the address, or the one that was open last. */
  async openFirst() {
    /** @type {StoredScene | null} */
    let linked = null;
    let notice = "";
    try {
      const history = await readLink();
      linked = history && this.storage.add(history);
    } catch {
      notice = "That link holds no scene; was all of it copied?";
    }
    this.sync.send(linked ?? this.storage.readLast(), { notice });
  }

  /**
   * Draw the scene and what is around it.
   *
   * @param {SceneLog} log
   * @param {number} shown How many entries are visible.
   */
  draw({ scene: { entries, direction } }, shown) {
    const { element } = this;
    const { heading, quoted } = this.sync;
    this.view.draw(entries.slice(0, shown), { ...heading, quoted });
    this.menu.restoreFocus();
    for (const name of /** @type {const} */ (["setting", "premise"])) {
      const field = find(element, `.${name}`);
      field.replaceChildren(isolateText(direction[name]));
      field.hidden = !direction[name];
    }
    find(element, ".blank").hidden = Boolean(entries.length) || !heading.editable;
    const openings = heading.openings.length ? ", or begin with one of these." : ".";
    find(element, ".blank .hint").textContent = `Write the first line below${openings}`;
    find(element, ".openings").replaceChildren(...heading.openings.map(createOpening));
    find(element, ".versions").hidden = heading.branches.length < 2;
    for (const button of findAll(element, ".bar button, #branches button")) {
      const enabled = heading.editable || "alwaysEnabled" in button.dataset;
      if (button instanceof HTMLButtonElement) button.disabled = !enabled;
    }
    find(element, "#branches ul").replaceChildren(...heading.branches.map(createBranch));
    this.scenes.showTitle();
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const opening = closestTarget(event, "[data-opening]")?.dataset.opening;
    const version = closestTarget(event, "[data-version]")?.dataset.version;
    const ending = closestTarget(event, "[data-ending]")?.dataset.ending;
    const link = closestTarget(event, ".link");
    if (opening) this.trigger("act", { deed: "open", index: Number(opening) });
    if (version) this.trigger("act", { deed: "switch", version: Number(version) });
    if (ending) this.trigger("export", { ending });
    if (closestTarget(event, ".open-help")) this.shortcuts.showHelp();
    if (closestTarget(event, ".import")) find(this.element, "input[type=file]").click();
    if (link && this.sync.log) copyLink(this.sync.log, (text) => this.report(text));
    if (version || ending || link) closestTarget(event, "[popover]")?.hidePopover();
  }

  /**
   * Send an imported script, which becomes a new scene.
   *
   * @param {Event} event
   */
  async importFile({ target }) {
    if (!(target instanceof HTMLInputElement)) return;
    const file = target.files?.[0];
    if (!file) return;
    const text = await file.text();
    target.value = "";
    this.sync.send(null, { event: "bring", fields: { name: file.name, text } });
  }
}

/**
 * @param {Opening} opening
 * @param {number} index
 */
function createOpening({ premise, speaker, text }, index) {
  const idea = premise ? [createElement("em", {}, isolateText(premise))] : [];
  const attributes = { type: "button", "data-opening": index };
  return createElement("button", attributes, ...idea, createExcerpt(speaker, text));
}

/** @param {Branch} branch */
function createBranch({ version, lines, told, current }) {
  const excerpts = told.map(([speaker, text]) => createExcerpt(speaker, text));
  const size = createElement("small", {}, current ? "this version" : `${lines} lines`);
  const attributes = { type: "button", "data-version": version };
  const button = createElement("button", attributes, size, ...excerpts);
  if (current) button.setAttribute("aria-current", "true");
  return createElement("li", {}, button);
}

/**
 * @param {string} speaker
 * @param {string} text
 */
function createExcerpt(speaker, text) {
  const name = createElement("b", {}, isolateText(speaker));
  return createElement("span", {}, name, " ", isolateText(text));
}

/**
 * Place a panel below its button when it opens; on a phone it is as wide as the window.
 *
 * @param {HTMLElement} root
 * @param {HTMLElement} panel
 */
function placePanel(root, panel) {
  const { left, bottom } = find(root, `[popovertarget=${panel.id}]`).getBoundingClientRect();
  const right = innerWidth - panel.offsetWidth - 8;
  panel.style.top = `${bottom + 6}px`;
  panel.style.left = `${Math.max(8, Math.min(left, right))}px`;
}

/**
 * Start the component.
 *
 * @param {GradioComponent} component
 */
export function startApp(component) {
  const { element, props, watch } = component;
  const app = new App(component);
  element.addEventListener("click", (event) => app.handleClick(event));
  for (const panel of findAll(element, ".panel[popover]")) {
    panel.addEventListener("toggle", (event) => {
      if (event.newState === "open") placePanel(element, panel);
    });
  }
  const file = find(element, "input[type=file]");
  file.addEventListener("change", (event) => app.importFile(event));
  watch("value", () => app.sync.receive(JSON.parse(props.value || "null")));
  addEventListener("pagehide", () => app.storage.flush());
  addEventListener("visibilitychange", () => document.hidden && app.storage.flush());
  addEventListener("hashchange", () => app.openFirst());
  app.openFirst();
}
