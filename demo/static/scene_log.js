/**
 * Every version of a scene, stored as changes: a version replaces some entries of its parent.
 * The server sends only new changes, so a message does not grow with the scene.
 */

/**
 * The model's share in an entry.
 *
 * @typedef {{ model: string, seed: number, base?: string }} Provenance
 */

/**
 * A speech, or a stage direction if it has no speaker.
 *
 * @typedef {object} Entry
 * @property {string} text
 * @property {string | null} [speaker]
 * @property {Provenance | null} [take]
 * @property {boolean} [edited]
 * @property {"parenthetical" | "transition" | "heading" | "dual" | null} [form] What it is in a
 *   screenplay, if it is no usual speech or stage direction.
 */

/** @typedef {{ premise: string, setting: string, present: string[] }} Direction */

/** @typedef {{ entries: Entry[], direction: Direction }} Scene */

/**
 * A version: its parent's entries with `removed` of them from `start` replaced by `added`.
 * Without a direction it has its parent's. Redo leads from it to the version `onward`.
 *
 * @typedef {object} VersionDelta
 * @property {number | null} [parent]
 * @property {number} start
 * @property {number} removed
 * @property {Entry[]} added
 * @property {Direction | null} [direction]
 * @property {Provenance | null} [take]
 * @property {number | null} [onward]
 * @property {string | null} [name] What the writer called it.
 */

/**
 * All versions in the order in which they were made, and the index of the current one.
 *
 * @typedef {{ steps: VersionDelta[], at: number }} HistoryLog
 */

/**
 * Changes to a history: new or replaced versions by index, entries added to versions by index,
 * and the index of the current version.
 *
 * @typedef {object} HistoryPatch
 * @property {[number, VersionDelta][]} [steps]
 * @property {[number, Entry[]][]} [extended]
 * @property {number} at
 */

/** @type {Direction} */
const NO_DIRECTION = { premise: "", setting: "", present: [] };

/** @returns {VersionDelta} */
const firstVersion = () => ({ parent: null, start: 0, removed: 0, added: [] });

/** A scene with its history. */
export class SceneLog {
  /**
   * @param {Partial<HistoryLog> | null} [history] The history to start from; none is blank.
   * @param {number[]} [made]
   */
  constructor(history, made = []) {
    /**
     * When each version was made, in milliseconds, as far as this browser knows.
     *
     * @type {number[]}
     */
    this.made = [...made];
    /** @type {VersionDelta[]} */
    this.steps = history?.steps?.length ? history.steps : [firstVersion()];
    this.at = Math.min(history?.at ?? 0, this.steps.length - 1);
    this.scene = this.sceneAt(this.at);
  }

  /** @returns {HistoryLog} */
  get history() {
    return { steps: this.steps, at: this.at };
  }

  /**
   * A history of one version: the current scene.
   *
   * @returns {HistoryLog}
   */
  get snapshot() {
    const { entries, direction } = this.scene;
    return { steps: [{ ...firstVersion(), added: entries, direction }], at: 0 };
  }

  /** Whether nothing was written and nothing was ever changed. */
  get isBlank() {
    const { premise, setting, present } = this.scene.direction;
    const filled = premise || setting || present.length || this.scene.entries.length;
    return !filled && this.steps.length === 1;
  }

  /**
   * Build the scene of any version.
   *
   * @param {number} index
   * @returns {Scene}
   */
  sceneAt(index) {
    /** @type {VersionDelta[]} */
    const path = [];
    for (let step = this.steps[index]; ; step = this.steps[step.parent]) {
      path.unshift(step);
      if (step.parent === null || step.parent === undefined) break;
    }
    return path.reduce(applyDelta, { entries: [], direction: NO_DIRECTION });
  }

  /** @param {HistoryPatch} patch */
  apply({ steps = [], extended = [], at }) {
    for (const [index] of [...steps, ...extended]) this.made[index] = Date.now();
    for (const [index, step] of steps) this.steps[index] = step;
    for (const [index, added] of extended) {
      const step = this.steps[index];
      this.steps[index] = { ...step, added: [...step.added, ...added] };
    }
    const isChild = steps.length === 1 && steps[0][0] === at && steps[0][1].parent === this.at;
    const isSame = !steps.length && at === this.at;
    if (isChild && !extended.length) this.scene = applyDelta(this.scene, this.steps[at]);
    else if (!isSame || extended.length) this.scene = this.sceneAt(at);
    this.at = at;
    this.#pointRedoHere();
  }

  /**
   * Make redo lead from the first version to the current one. The server does the same and does
   * not send it.
   */
  #pointRedoHere() {
    let child = this.at;
    for (let { parent } = this.steps[child]; parent !== null && parent !== undefined; ) {
      this.steps[parent] = { ...this.steps[parent], onward: child };
      child = parent;
      ({ parent } = this.steps[child]);
    }
  }
}

/**
 * Apply one change to a scene.
 *
 * @param {Scene} scene
 * @param {VersionDelta} step
 * @returns {Scene}
 */
function applyDelta({ entries, direction }, step) {
  const after = entries.slice(step.start + step.removed);
  return {
    entries: [...entries.slice(0, step.start), ...step.added, ...after],
    direction: step.direction ?? direction,
  };
}
