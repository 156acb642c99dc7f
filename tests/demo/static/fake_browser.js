/**
 * The parts of a browser that the tested modules use.
 */

import { webcrypto } from "node:crypto";

/** A Storage with room for a number of characters. */
export class FakeStorage {
  constructor(room = Infinity) {
    this.room = room;
    /** @type {Map<string, string>} */
    this.items = new Map();
  }

  get length() {
    return this.items.size;
  }

  /** @param {number} index */
  key(index) {
    return [...this.items.keys()][index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.items.get(key) ?? null;
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    if (value.length > this.room) throw new Error("QuotaExceededError");
    this.items.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.items.delete(key);
  }
}

/**
 * Give the modules a browser's globals.
 *
 * @param {Record<string, unknown>} [globals]
 */
export function fakeBrowser(globals = {}) {
  fakeGlobals({
    crypto: webcrypto,
    localStorage: new FakeStorage(),
    sessionStorage: new FakeStorage(),
    ...globals,
  });
}

/** @param {Record<string, unknown>} globals */
function fakeGlobals(globals) {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

/**
 * Replace setTimeout and clearTimeout. Node's own mock has another interface in node 18.
 *
 * @returns A function that moves the time on by some milliseconds.
 */
export function fakeTimers() {
  let now = 0;
  let last = 0;
  /** @type {Map<number, { time: number, callback: () => void }>} */
  const timers = new Map();
  fakeGlobals({
    /**
     * @param {() => void} callback
     * @param {number} delay
     */
    setTimeout(callback, delay) {
      timers.set(++last, { time: now + delay, callback });
      return last;
    },
    /** @param {number} timer */
    clearTimeout: (timer) => timers.delete(timer),
  });
  /** @param {number} time */
  return (time) => {
    now += time;
    for (const [timer, { time: due, callback }] of timers) {
      if (due > now) continue;
      timers.delete(timer);
      callback();
    }
  };
}

/** Give the modules another tab of the same browser. */
export const openTab = () => fakeBrowser({ localStorage: globalThis.localStorage });
