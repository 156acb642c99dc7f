/**
 * Questions to the controller, one after the other: Gradio can merge two answers that arrive
 * together, and show only the last one.
 */

/** @typedef {{ count: number, examples: string[] }} Dropped */
/** @typedef {{ file: string, line: number, text: string, reason: string }} NearMiss */
/** @typedef {{ name: string, aliases: string[] }} Member */

/**
 * @typedef {object} Report
 * @property {number} read Lines of the scripts.
 * @property {Record<string, number>} kinds
 * @property {Record<string, Dropped>} dropped By reason.
 * @property {NearMiss[]} near_misses
 * @property {number} more_near_misses
 * @property {string[]} notes
 * @property {[string, number][]} speakers With their lines.
 * @property {number} more_speakers
 * @property {number} spoken Lines of all speakers.
 * @property {{ train: number, validation: number }} episodes
 * @property {{ train: number, validation: number }} examples
 */

/** @typedef {{ title: string, done: number, steps: number, seconds_left?: number | null }} Progress */
/** @typedef {{ name: string, inputs: string, loss: string }} Adapter */

/**
 * The job of the controller.
 *
 * @typedef {object} Job
 * @property {string} state
 * @property {boolean} stopping
 * @property {string} name
 * @property {string} message Why the last step failed.
 * @property {string} rights
 * @property {number} files
 * @property {{ title: string, cast: Member[] } | null} show
 * @property {Record<string, string>} suspects For a name, whose other name it may be.
 * @property {Report | null} report
 * @property {Adapter | null} adapter
 * @property {string} command
 * @property {Progress | null} progress
 * @property {[number, number][]} losses By step.
 * @property {[number, number][]} held_out By step.
 */

/** @typedef {{ number?: number, job?: Job, offered?: boolean, error?: string }} Answer */

const PATIENCE = 60_000; // milliseconds for an answer

/** The questions. */
export class Questions {
  /** @param {(fields: object) => void} send */
  constructor(send) {
    this.send = send;
    this.number = 0;
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    /** @type {(answer: Answer) => void} */
    this.settle = () => {};
  }

  /**
   * Ask after all questions before.
   *
   * @param {string} action
   * @param {object} fields
   * @returns {Promise<Answer>}
   */
  ask(action, fields) {
    const answer = this.last.then(() => this.#askNow(action, fields));
    this.last = answer;
    return answer;
  }

  /**
   * @param {string} action
   * @param {object} fields
   * @returns {Promise<Answer>}
   */
  #askNow(action, fields) {
    this.number += 1;
    const { number } = this;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ error: "the room does not answer" }), PATIENCE);
      this.settle = (answer) => {
        if (answer.number !== number) return;
        clearTimeout(timer);
        resolve(answer);
      };
      this.send({ action, fields, number });
    });
  }

  /** @param {Answer | null} answer */
  hear(answer) {
    if (answer) this.settle(answer);
  }
}
