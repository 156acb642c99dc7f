/**
 * The script's component: connects the scene, its view, the browser's storage and the server.
 */

import { Announcer } from "./announcer.js";
import { closestTarget, find, findAll, findDialog, findInput } from "./dom.js";
import { Drafts } from "./drafts.js";
import { EpisodeStore } from "./episodes/episode_store.js";
import { closeListsByTab } from "./gradio_fields.js";
import { ScenePlace } from "./kept/scene_place.js";
import { SettingsStore } from "./kept/settings_store.js";
import { LineEditor } from "./line_editor.js";
import { LineMenu } from "./line_menu.js";
import { LossDialog } from "./loss_dialog.js";
import { NameQuestion } from "./name_question.js";
import { Outbox } from "./outbox.js";
import { PageSync } from "./page_sync.js";
import { createBranch, placePanel } from "./panels.js";
import { SceneHeader } from "./scene_header.js";
import { SceneImport } from "./scene_import.js";
import { SceneList } from "./scene_list.js";
import { ScriptView } from "./script_view.js";
import { copyLink, readLink } from "./share_link.js";
import { PageShortcuts } from "./shortcuts.js";
import { SceneStorage } from "./storage.js";
import { SceneTools } from "./scene_tools.js";
import { SilenceWatch } from "./silence_watch.js";
import { WaitingList } from "./waiting_list.js";
import { WriterActions } from "./writer_actions.js";

/** @import { GradioComponent } from "./dom.js" */
/** @import { Deed } from "./outbox.js" */
/** @import { SceneLog } from "./scene_log.js" */
/** @import { StoredScene } from "./storage.js" */

/** The page's parts and the wiring between them. */
class App {
  /** @param {GradioComponent} component */
  constructor({ element, trigger }) {
    this.element = element;
    /** Whether the next drawing offers a half-made edit again. */
    this.restoring = false;
    this.storage = new SceneStorage((text) => this.report(text));
    let isFull = false;
    const reportFull = () => {
      isFull = true;
      this.report("This browser has no room left to keep what you write.");
    };
    this.silence = new SilenceWatch(() => !isFull);
    let isConnected = false;
    /** @type {(event: string, fields: object) => void} */
    const send = (event, fields) => {
      this.silence.ask();
      trigger(event, fields);
    };
    this.episodes = new EpisodeStore((text) => this.report(text));
    this.episodes.onChanged = () => this.readBefore();
    /**
     * What happened in the earlier scenes of the episode.
     *
     * @type {string[]}
     */
    this.before = [];
    this.settings = new SettingsStore();
    this.place = new ScenePlace(find(element, ".lines"));
    this.drafts = new Drafts(reportFull);
    this.outbox = new Outbox(send, this.storage, {
      changed: () => this.waiting.draw(),
      refused: (fields) => this.giveBack(fields),
      full: reportFull,
    });
    this.waiting = new WaitingList(element, this.outbox, {
      take: (words) => this.actions.compose(words),
      changed: () => this.drafts.update({ refused: this.waiting.refused }),
    });
    this.sync = new PageSync(send, this.storage, this.outbox, {
      opened: (notice) => {
        this.settings.isShown = true;
        this.place.leave();
        this.readBefore();
        this.report(notice);
        this.view.reset();
        this.openDrafts();
        if (!isConnected) trigger("connect", {});
        isConnected = true;
      },
      refused: () => this.view.reset(),
      voted: (votes) => this.tools.votes.add(votes),
      updated: (log, shown, memory) => {
        this.draw(log, shown);
        this.tools.memory.place(memory);
      },
    });
    const file = findInput(element, ".script-file");
    this.importing = new SceneImport(file, this.storage, this.outbox, this.sync);
    this.actions = new WriterActions(
      this.outbox,
      this.drafts,
      this.storage,
      this.sync,
      this.episodes,
      new LossDialog(findDialog(element, "loss")),
      new NameQuestion(findDialog(element, "name-question")),
    );
    this.header = new SceneHeader(element);
    this.announcer = new Announcer(find(element, ".script"));
    this.view = new ScriptView(find(element, ".lines"));
    this.editor = new LineEditor(this.view, {
      send: (deed, fields) => this.actions.addLine({ deed, ...fields }),
      typed: (line) => this.drafts.update({ line }),
    });
    this.menu = new LineMenu(find(element, ".script"), this.editor, (deed, fields) => {
      if (!this.tools.openForLine(deed, fields.index)) this.actions.add({ deed, ...fields });
    });
    this.tools = new SceneTools(element, this.sync, this.drafts, this.storage, this.episodes, {
      send: (deed) => this.actions.add(deed),
      report: (text) => this.report(text),
    });
    this.shortcuts = new PageShortcuts(findDialog(element, "help"), this.editor);
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

  /** @param {Deed} fields A refused action: its words stay on the page. */
  giveBack(fields) {
    if (fields.deed === "import") {
      this.importing.giveUp();
      return;
    }
    const words = this.actions.giveBack(fields);
    if (words) this.waiting.keep(words);
  }

  /** Offer again what was typed into the opened scene and not left. */
  openDrafts() {
    this.drafts.open(this.storage.scene.id);
    this.waiting.refused = [...(this.drafts.current.refused ?? [])];
    this.waiting.draw();
    this.restoring = true;
    this.actions.restoreDrafts();
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
    const scene = linked ?? this.storage.readLast();
    if (this.sync.log) {
      this.sync.send(scene, { notice });
      return;
    }
    // What the writer does before the server answers belongs to this scene already.
    this.storage.open(scene);
    this.outbox.open();
    this.drafts.open(this.storage.scene.id);
    const settings = this.settings.before;
    this.sync.send({ ...this.storage.scene, journal: scene?.journal }, { notice, settings });
  }

  /**
   * Draw the scene and what is around it.
   *
   * @param {SceneLog} log
   * @param {number} shown How many entries are visible.
   */
  draw(log, shown) {
    const { element } = this;
    const { heading, quoted } = this.sync;
    const drawn = log.scene.entries.slice(0, shown);
    this.header.draw(log.scene, heading, this.before);
    this.view.draw(drawn, { ...heading, quoted });
    this.announcer.note(drawn, !heading.editable);
    this.tools.alternatives.place();
    this.menu.restoreFocus();
    // A half-made edit gets the cursor itself. It can be of a line whose last change still waits.
    const focuses = !this.drafts.current.line;
    if (!this.place.scene) this.place.restore(this.storage.scene.id, { focuses });
    if (this.restoring && !this.outbox.actions.length) {
      this.restoring = false;
      const { line } = this.drafts.current;
      if (line && !this.editor.restoreDraft(line)) {
        const { speaker, text } = line.now;
        this.waiting.keep({ speaker: speaker ?? "", text });
      }
    }
    find(element, ".versions").hidden = log.isBlank;
    for (const button of findAll(element, ".bar button")) {
      const enabled = heading.editable || "alwaysEnabled" in button.dataset;
      if (button instanceof HTMLButtonElement) button.disabled = !enabled;
    }
    if (find(element, "#branches").matches(":popover-open")) this.drawVersions();
    this.scenes.showTitle();
  }

  /** Read what happened in the earlier scenes of the episode. */
  readBefore() {
    this.before = this.episodes.listBefore(this.storage.scene.id);
    this.header.drawBefore(this.before, this.sync.heading.guidance);
  }

  /** List the versions; only an open list is drawn, for each costs a comparison. */
  drawVersions() {
    const { log, heading } = this.sync;
    const items = log ? heading.branches.map((branch) => createBranch(branch, log)) : [];
    find(this.element, "#branches ul").replaceChildren(...items);
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const opening = closestTarget(event, "[data-opening]")?.dataset.opening;
    const version = closestTarget(event, "[data-version]")?.dataset.version;
    const ending = closestTarget(event, "[data-ending]")?.dataset.ending;
    const link = closestTarget(event, ".link");
    if (opening) this.actions.add({ deed: "open", index: Number(opening) });
    if (version) this.actions.add({ deed: "switch", version: Number(version) });
    if (ending) this.actions.add({ deed: "export", ending, name: this.storage.scene.name });
    const tool = this.tools.handleClick(event);
    if (closestTarget(event, ".open-help")) this.shortcuts.showHelp();
    if (closestTarget(event, ".import")) this.importing.choose();
    if (link && this.sync.log) copyLink(this.sync.log, (text) => this.report(text));
    if (version || ending || link || tool) closestTarget(event, "[popover]")?.hidePopover();
  }
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
      if (event.newState === "open" && panel.id === "branches") app.drawVersions();
    });
  }
  watch("value", () => {
    app.silence.hear();
    app.sync.receive(JSON.parse(props.value || "null"));
  });
  addEventListener("pagehide", () => app.storage.flush());
  addEventListener("visibilitychange", () => document.hidden && app.storage.flush());
  addEventListener("hashchange", () => app.openFirst());
  closeListsByTab();
  app.actions.listen();
  app.settings.listen();
  app.place.listen();
  app.openFirst();
}
