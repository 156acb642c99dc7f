/**
 * The writer's actions: from Gradio's buttons and fields and from the script, into the outbox.
 */

import { closestTarget } from "./dom.js";
import {
  fill,
  fillSpeaker,
  findBeat,
  findComposer,
  nameField,
  readDirection,
  readSpeaker,
  takeComposed,
} from "./gradio_fields.js";
import { describeLoss } from "./loss_dialog.js";
import { NameQuestion, findMeantName } from "./name_question.js";
import { readWords } from "./waiting_list.js";

/** @import { Drafts } from "./drafts.js" */
/** @import { EpisodeStore } from "./episodes/episode_store.js" */
/** @import { DirectionFields } from "./gradio_fields.js" */
/** @import { LossDialog } from "./loss_dialog.js" */
/** @import { Outbox, Deed } from "./outbox.js" */
/** @import { PageSync } from "./page_sync.js" */
/** @import { SceneStorage } from "./storage.js" */
/** @import { Words } from "./waiting_list.js" */

/** Actions that have a model write: each has an event of its own. */
const GENERATIONS = new Set(["proceed", "retake", "candidates", "compare", "rewrite"]);
const OWN_EVENTS = new Set([...GENERATIONS, "preview", "model", "export"]);

/**
 * Actions that bring no fields along: a field that is being restored would be a change, which undo
 * would take back in place of the writer's last one. A field that the writer leaves is sent anyway.
 */
const HISTORY = new Set(["undo", "redo"]);

/** What Gradio's buttons do, by their elem_id. */
const BUTTONS = /** @type {const} */ ({
  continue: "proceed",
  retake: "retake",
  takes: "candidates",
  compare: "compare",
  undo: "undo",
  redo: "redo",
  surprise: "surprise",
  ask: "preview",
});

/** Turns what the writer does into actions of the outbox. */
export class WriterActions {
  /**
   * @param {Outbox} outbox
   * @param {Drafts} drafts
   * @param {SceneStorage} storage
   * @param {PageSync} sync
   * @param {EpisodeStore} episodes
   * @param {LossDialog} dialog
   * @param {NameQuestion} question
   */
  constructor(outbox, drafts, storage, sync, episodes, dialog, question) {
    this.outbox = outbox;
    this.drafts = drafts;
    this.storage = storage;
    this.sync = sync;
    this.episodes = episodes;
    this.dialog = dialog;
    this.question = question;
    /**
     * The fields at the last action.
     *
     * @type {DirectionFields}
     */
    this.fields = { premise: "", setting: "", present: [], guests: "" };
  }

  /** Listen to Gradio's components, whose own events end with the connection. */
  listen() {
    document.addEventListener("room:chosen", (event) => {
      if (!(event instanceof CustomEvent)) return;
      this.#addWithFields({ deed: event.detail === "model" ? "model" : "direct" });
    });
    document.addEventListener("room:deed", (event) => {
      if (event instanceof CustomEvent) this.add(event.detail);
    });
    document.addEventListener("input", (event) => this.#keepDraft(event));
    document.addEventListener("focusout", ({ target }) => {
      if (nameField(target)) this.#addWithFields({ deed: "direct" });
    });
    document.addEventListener("change", (event) => {
      if (closestTarget(event, "#present")) this.#addWithFields({ deed: "direct" });
    });
    document.addEventListener("keypress", (event) => {
      const isEnter = event.key === "Enter" && !event.shiftKey;
      if (isEnter && event.target === findComposer()) this.#writeLine();
    });
    document.addEventListener("click", (event) => this.#handleClick(event));
  }

  /** @param {MouseEvent} event */
  #handleClick(event) {
    if (closestTarget(event, "#stop")) this.outbox.drop(GENERATIONS);
    if (closestTarget(event, "#compose .submit-button")) this.#writeLine();
    for (const [id, deed] of Object.entries(BUTTONS)) {
      if (!closestTarget(event, `#${id}`)) continue;
      const isComposed = deed === "proceed" && findComposer()?.value.trim();
      if (isComposed) this.#writeLine(() => this.#addWithFields({ deed }));
      else if (HISTORY.has(deed)) this.add({ deed });
      else this.#addWithFields({ deed });
    }
  }

  /** Add the composed line. It is shown as waiting at once, so the composer is free. */
  #writeLine(then = () => {}) {
    this.#confirmName(readSpeaker(), (speaker) => {
      const text = takeComposed();
      this.#addWithFields({ deed: "write", speaker, text });
      this.drafts.update({ composer: undefined });
      then();
    });
  }

  /**
   * Go on with a name, or with the known one that was meant.
   *
   * @param {string} typed
   * @param {(name: string) => void} goOn
   */
  #confirmName(typed, goOn) {
    const { entries, direction } = this.sync.log?.scene ?? { entries: [], direction: null };
    const spoken = entries.flatMap(({ speaker }) => speaker ?? []);
    const known = new Set([...this.sync.heading.cast, ...(direction?.present ?? []), ...spoken]);
    const meant = findMeantName(typed, [...known]);
    if (meant) this.question.ask(typed, meant, goOn);
    else goOn(typed);
  }

  /**
   * Add an action on a line; a new name in it that looks mistyped is asked about first.
   *
   * @param {Deed} fields
   */
  addLine(fields) {
    const { deed, speaker, was, now } = fields;
    if (deed === "insert") {
      this.#confirmName(speaker ?? "", (name) => this.add({ ...fields, speaker: name || null }));
    } else if (deed === "revise" && now.speaker !== was.speaker) {
      this.#confirmName(now.speaker ?? "", (name) => {
        this.add({ ...fields, now: { ...now, speaker: name } });
      });
    } else {
      this.add(fields);
    }
  }

  /**
   * Add an action. One that replaces many lines, or some by hand, first says so and asks.
   *
   * @param {Deed} fields
   */
  add(fields) {
    const loss = describeLoss(fields, this.sync.log?.scene.entries ?? []);
    if (loss) this.dialog.ask(loss, () => this.#add(fields));
    else this.#add(fields);
  }

  /** @param {Deed} fields */
  #add(fields) {
    const { deed } = fields;
    const event = OWN_EVENTS.has(deed) ? deed : "act";
    const isWaiting = this.outbox.actions.some((action) => GENERATIONS.has(action.event));
    if (GENERATIONS.has(deed) && isWaiting) return;
    if (event === "act" && this.sync.log) this.storage.keepBlank(this.sync.log);
    const isForModel = GENERATIONS.has(deed) || deed === "preview";
    const before = isForModel ? this.episodes.listBefore(this.storage.scene.id) : [];
    this.outbox.add(before.length ? { ...fields, before } : fields, event);
  }

  /**
   * Add an action with the direction. While earlier actions wait, their results are not in the
   * fields yet: then only what the writer has changed since goes along.
   *
   * @param {Deed} deed
   */
  #addWithFields(deed) {
    const before = this.fields;
    const fields = readDirection();
    this.fields = { ...before, ...fields };
    const isIdle = this.outbox.isIdle;
    const names = /** @type {(keyof DirectionFields)[]} */ (Object.keys(fields));
    const sent = names.filter((name) => isIdle || String(fields[name]) !== String(before[name]));
    const direction = Object.fromEntries(sent.map((name) => [name, fields[name]]));
    if (sent.length) this.add({ ...deed, direction });
    else if (deed.deed !== "direct") this.add(deed);
    this.drafts.update({ direction: null });
  }

  /** @param {Event} event */
  #keepDraft({ target }) {
    const composer = findComposer();
    if (target === composer && composer) {
      this.drafts.update({ composer: { speaker: readSpeaker(), text: composer.value } });
    }
    const beat = findBeat();
    if (beat && target === beat) this.drafts.update({ beat: beat.value });
    const field = nameField(target);
    if (field && (target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement)) {
      const direction = { ...this.drafts.current.direction, [field]: target.value };
      this.drafts.update({ direction });
    }
  }

  /** Offer again what was typed before the page was loaded anew. */
  restoreDrafts() {
    // Gradio's label around the field has the button's name in it.
    findComposer()?.setAttribute("aria-label", "New line");
    const { composer, direction, beat: typed } = this.drafts.current;
    const beat = findBeat();
    if (beat && typed && !beat.value) fill(beat, typed);
    if (composer?.text && findComposer()?.value === "") this.compose(composer);
    if (direction) this.add({ deed: "direct", direction });
    this.drafts.update({ direction: null });
  }

  /**
   * Put words into the composer, before those that are there.
   *
   * @param {Words} words
   */
  compose({ speaker, text }) {
    const composer = findComposer();
    if (!composer) return;
    if (!composer.value) fillSpeaker(speaker);
    fill(composer, composer.value ? `${text}\n${composer.value}` : text);
    composer.focus();
  }

  /**
   * Give refused words back to the writer.
   *
   * @param {Deed} fields
   * @returns {Words | null} Words for which there is no place in the composer.
   */
  giveBack(fields) {
    const words = readWords(fields);
    if (!words?.text.trim()) return null;
    const composer = findComposer();
    if (fields.deed !== "write" || !composer || composer.value) return words;
    fill(composer, words.text);
    return null;
  }
}
