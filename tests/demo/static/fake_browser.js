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
  const all = {
    crypto: webcrypto,
    localStorage: new FakeStorage(),
    sessionStorage: new FakeStorage(),
    ...globals,
  };
  for (const [name, value] of Object.entries(all)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

/** Give the modules another tab of the same browser. */
export const openTab = () => fakeBrowser({ localStorage: globalThis.localStorage });
