/**
 * Notices a server that can be reached but no longer answers this page, and loads the page anew.
 *
 * When its stream of answers breaks while no event is running, Gradio 6.31's client takes the
 * stream for open ever after: it sends events and never hears of them again.
 */

const PATIENCE = 12_000; // milliseconds
const RELOADED = "nothing-gpt/reloaded"; // the time of the last reload
const SHORTEST_INTERVAL = 60_000; // milliseconds between two reloads

/** Waits for the answer to an event. */
export class SilenceWatch {
  /** @param {() => boolean} canReload Tells whether all that was typed is stored. */
  constructor(canReload) {
    this.canReload = canReload;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.asked = 0;
  }

  /** Note that an event was sent. */
  ask() {
    this.asked++;
    this.timer ??= setTimeout(() => this.#check(), PATIENCE);
  }

  /** Note that the server has answered. */
  hear() {
    this.asked = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  async #check() {
    this.timer = undefined;
    try {
      await fetch(location.pathname, { cache: "no-store" });
    } catch {
      return; // events that are sent again start the next wait
    }
    const now = Date.now();
    const isRecent = now - Number(sessionStorage.getItem(RELOADED)) < SHORTEST_INTERVAL;
    if (!this.asked || isRecent || !this.canReload()) return;
    sessionStorage.setItem(RELOADED, String(now));
    location.reload();
  }
}
