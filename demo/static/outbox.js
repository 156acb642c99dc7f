/**
 * The writer's actions on the open scene that the server has not confirmed.
 *
 * They are sent one after the other, each again until it is confirmed, and are kept in the browser
 * meanwhile. The server does an action once: it knows the number of the last one.
 */

import { WordStore } from "./word_store.js";

/** @import { SceneStorage } from "./storage.js" */

/**
 * An action on the scene: its name under `deed`, and its arguments.
 *
 * @typedef {{ deed: string } & Record<string, any>} Deed
 */

/**
 * A numbered action. `event` is the event of the server that does it, `seen` the number of the
 * last action whose result the writer saw, -1 if the server did not have the scene yet.
 *
 * @typedef {{ number: number, seen: number, event: string, fields: Deed }} Action
 */

/**
 * What the page does when the actions have changed, when one was refused, and when the storage is
 * full.
 *
 * @typedef {object} OutboxListener
 * @property {() => void} changed
 * @property {(fields: Deed) => void} refused
 * @property {() => void} full
 */

const RESEND_DELAY = 4000; // milliseconds
const SLOW_DELAY = 1500; // milliseconds after which the page says that an action waits

/** The unconfirmed actions, in order. */
export class Outbox {
  /**
   * @param {(event: string, fields: object) => void} trigger Sends an event to the server.
   * @param {SceneStorage} storage
   * @param {OutboxListener} listener
   */
  constructor(trigger, storage, listener) {
    this.trigger = trigger;
    this.storage = storage;
    this.listener = listener;
    this.store = new WordStore("waiting");
    /** The scene that the actions are stored beside. */
    this.sceneId = storage.scene.id;
    /** @type {Action[]} */
    this.actions = [];
    /**
     * Actions that the scene contains but that are not stored with it yet.
     *
     * @type {Action[]}
     */
    this.unsaved = [];
    /** The number of the last action; that of a dropped one is not used again. */
    this.last = 0;
    /**
     * The run of the scene; null while the server does not have it.
     *
     * @type {string | null}
     */
    this.run = null;
    /** Whether the first action has waited for long. */
    this.isSlow = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resendTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.slowTimer = undefined;
    storage.onSaved = () => this.#handleSaved();
  }

  /** The number of the last action that the scene contains. */
  get acted() {
    return this.storage.scene.acted ?? 0;
  }

  /** Whether nothing waits and the server has the scene. */
  get isIdle() {
    return this.run !== null && !this.actions.length;
  }

  /** Take over what waits beside the scene that was opened. */
  open() {
    this.sceneId = this.storage.scene.id;
    this.unsaved = [];
    /** @type {Action[]} */
    const kept = this.store.read(this.sceneId).flat();
    const waiting = kept.filter(({ number }) => number > this.acted);
    const seen = -1;
    this.actions = waiting.map((action, i) => ({ ...action, seen, number: this.acted + 1 + i }));
    this.last = this.acted + this.actions.length;
    this.#watch();
    this.#save();
    this.listener.changed();
  }

  /**
   * Add an action and send it in its turn.
   *
   * @param {Deed} fields
   * @param {string} [event]
   */
  add(fields, event = "act") {
    const number = ++this.last;
    const seen = this.run === null ? -1 : this.acted;
    this.actions.push({ number, seen, event, fields });
    this.#save();
    if (this.actions.length === 1) this.#watch();
    this.listener.changed();
    if (this.actions.length === 1) this.#send();
  }

  /**
   * Store the first action on a scene that is opened next.
   *
   * @param {string} sceneId
   * @param {Deed} fields
   */
  begin(sceneId, fields) {
    try {
      this.store.write(sceneId, [{ number: 1, seen: -1, event: "act", fields }]);
    } catch {
      this.listener.full();
    }
  }

  /** Send nothing until the server has the scene. */
  hold() {
    this.run = null;
    clearTimeout(this.resendTimer);
  }

  /**
   * Send what waits: the server has the scene.
   *
   * @param {string} run
   */
  resume(run) {
    this.run = run;
    this.#send();
  }

  /**
   * Forget the actions up to one that the server has done.
   *
   * @param {number} acted
   * @param {boolean} refused Whether the last of them was refused.
   */
  confirm(acted, refused) {
    const done = this.actions.filter(({ number }) => number <= acted);
    this.storage.scene.acted = Math.max(acted, this.acted);
    if (!done.length) return;
    this.unsaved.push(...done);
    this.actions = this.actions.slice(done.length);
    if (refused) this.listener.refused(done[done.length - 1].fields);
    this.#watch();
    this.listener.changed();
    this.#send();
  }

  /**
   * Drop actions that wait for certain events.
   *
   * @param {Set<string>} events
   */
  drop(events) {
    const count = this.actions.length;
    this.actions = this.actions.filter(({ event }) => !events.has(event));
    if (this.actions.length === count) return;
    this.#watch();
    this.listener.changed();
    this.#send();
  }

  #send() {
    clearTimeout(this.resendTimer);
    const [first] = this.actions;
    if (!first || this.run === null) return;
    const { number, seen, event, fields } = first;
    this.trigger(event, { run: this.run, number, seen, ...fields });
    this.resendTimer = setTimeout(() => this.#send(), RESEND_DELAY);
  }

  /** Say after a while that the first action waits. */
  #watch() {
    clearTimeout(this.slowTimer);
    this.isSlow = false;
    if (!this.actions.length) return;
    this.slowTimer = setTimeout(() => {
      this.isSlow = true;
      this.listener.changed();
    }, SLOW_DELAY);
  }

  /** The scene was stored with all that it contains. */
  #handleSaved() {
    this.unsaved = [];
    if (this.sceneId !== this.storage.scene.id) {
      // Another tab has changed the scene, and this one goes on as a copy.
      this.store.write(this.sceneId, null);
      this.sceneId = this.storage.scene.id;
    }
    this.#save();
  }

  /** Keep the actions with words; a model does not start to write by itself after a reload. */
  #save() {
    const kept = [...this.unsaved, ...this.actions].filter(({ event }) => event === "act");
    try {
      this.store.write(this.sceneId, kept.length ? kept : null);
    } catch {
      this.listener.full();
    }
  }
}
