/**
 * The dialogs and panels that work on the open scene as a whole or on several of its lines.
 */

import { BackupButtons } from "./backup/backup_buttons.js";
import { closestTarget, find, findDialog, findInput } from "./dom.js";
import { addScene, splitScene } from "./episodes/episode.js";
import { EpisodeDialog } from "./episodes/episode_dialog.js";
import { FindDialog } from "./finding/find_dialog.js";
import { MemoryMark } from "./memory_mark.js";
import { Alternatives } from "./rewriting/alternatives.js";
import { RewriteDialog } from "./rewriting/rewrite_dialog.js";
import { ElementDialog } from "./screenplay/element_dialog.js";
import { ScreenplayDialog } from "./screenplay/screenplay_dialog.js";
import { DifferenceDialog } from "./versions/difference_dialog.js";
import { VoteDialog } from "./votes/vote_dialog.js";
import { VoteStore } from "./votes/vote_store.js";

/** @import { Drafts } from "./drafts.js" */
/** @import { Deed } from "./outbox.js" */
/** @import { EpisodeStore } from "./episodes/episode_store.js" */
/** @import { PageSync } from "./page_sync.js" */
/** @import { SceneStorage } from "./storage.js" */

/** Opens the tools. */
export class SceneTools {
  /**
   * @param {HTMLElement} element
   * @param {PageSync} sync
   * @param {Drafts} drafts
   * @param {SceneStorage} storage
   * @param {EpisodeStore} episodes
   * @param {{ send: (deed: Deed) => void, report: (text: string) => void }} listener Gets the
   *   actions on the scene, and messages to the writer.
   */
  constructor(element, sync, drafts, storage, episodes, { send, report }) {
    this.sync = sync;
    this.send = send;
    this.drafts = drafts;
    this.storage = storage;
    this.episodes = episodes;
    this.report = report;
    this.episode = new EpisodeDialog(findDialog(element, "episode"), episodes, storage, {
      open: (scene) => sync.send(scene),
      send,
      report,
    });
    this.backup = new BackupButtons(element, storage, report);
    const list = find(element, ".lines");
    this.finding = new FindDialog(findDialog(element, "find"), {
      send,
      goTo: (index) => find(list, `[data-index="${index}"] .words`).focus(),
    });
    this.rewriting = new RewriteDialog(findDialog(element, "rewrite"), {
      send,
      typed: (guidance) => drafts.update({ guidance }),
    });
    this.element = new ElementDialog(findDialog(element, "element"), send);
    this.screenplay = new ScreenplayDialog(findDialog(element, "screenplay"));
    this.memory = new MemoryMark(list);
    this.difference = new DifferenceDialog(findDialog(element, "difference"));
    const naming = find(element, "#branches form");
    naming.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = findInput(naming, "input");
      send({ deed: "bookmark", version: sync.log?.at ?? 0, name: name.value });
      name.value = "";
    });
    this.alternatives = new Alternatives(list, send);
    this.votes = new VoteDialog(findDialog(element, "votes"), new VoteStore(), report);
  }

  get #scene() {
    const nothing = { entries: [], direction: { premise: "", setting: "", present: [] } };
    return this.sync.log?.scene ?? nothing;
  }

  /**
   * Open the tool whose button was clicked.
   *
   * @param {MouseEvent} event
   * @returns {boolean} Whether it was one in a panel, which closes then.
   */
  handleClick(event) {
    const votes = closestTarget(event, ".open-votes");
    const screenplay = closestTarget(event, ".open-screenplay");
    const episode = closestTarget(event, ".open-episode");
    if (episode) this.episode.open();
    if (screenplay) this.screenplay.open(this.#scene);
    if (votes) this.votes.open();
    if (closestTarget(event, ".open-find")) this.#openFind();
    const compared = closestTarget(event, "[data-compared]")?.dataset.compared;
    const { log, heading } = this.sync;
    if (compared && log) this.difference.open(log, heading.branches, Number(compared));
    const forgotten = closestTarget(event, "[data-forgotten]")?.dataset.forgotten;
    if (forgotten) this.send({ deed: "bookmark", version: Number(forgotten), name: "" });
    return Boolean(votes ?? screenplay ?? episode ?? compared);
  }

  /**
   * Make the lines from an index on a scene of their own, the next one of the episode.
   *
   * @param {number} index
   */
  #split(index) {
    if (!index) {
      this.report("A scene is split after its first line.");
      return;
    }
    const lines = this.#scene.entries.slice(index);
    const { heading, history } = splitScene(this.#scene, index);
    const scene = this.storage.make(history);
    if (!this.storage.put(scene)) {
      this.report("This browser has no room left for another scene.");
      return;
    }
    const { id } = this.storage.scene;
    const part = { id: scene.id, heading, outline: "" };
    const episode = this.episodes.find(id);
    if (episode) this.episodes.change(episode.id, (each) => addScene(each, part, id));
    const was = lines.map(({ speaker = null, text }) => ({ speaker, text }));
    this.send({ deed: "replace", index, was, now: [] });
    this.report(`The lines from there on are a scene of their own now, \u201c${scene.title}\u201d.`);
  }

  #openFind() {
    const { entries, direction } = this.#scene;
    const spoken = entries.flatMap(({ speaker }) => speaker ?? []);
    this.finding.open(entries, [...new Set([...direction.present, ...spoken])]);
  }

  /**
   * Open the tool for a line.
   *
   * @param {string} action
   * @param {number} index
   * @returns {boolean} Whether there is one for this action.
   */
  openForLine(action, index) {
    const { entries } = this.#scene;
    if (action === "element") this.element.open(index, entries[index]);
    else if (action === "split") this.#split(index);
    else if (action === "rewrite" || action === "fill") {
      const { guidance } = this.sync.heading;
      const typed = this.drafts.current.guidance ?? "";
      this.rewriting.open(action, index, entries, { guidance, typed });
    } else return false;
    return true;
  }
}
