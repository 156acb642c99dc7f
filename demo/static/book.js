// Every version of the scene, as the server tells of them: a version is a change of its parent.
// Told are only the changes, so that what is sent does not grow with the scene.

const UNDIRECTED = { premise: "", setting: "", present: [] };
const FIRST = () => ({ parent: null, start: 0, removed: 0, added: [] });

class Book {
  constructor(journal) {
    this.steps = journal?.steps?.length ? journal.steps : [FIRST()];
    this.at = Math.min(journal?.at ?? 0, this.steps.length - 1);
    this.scene = this.replay(this.at);
  }

  get journal() {
    return { steps: this.steps, at: this.at };
  }

  // The scene as it is, without how it came to be.
  get snapshot() {
    const { entries, direction } = this.scene;
    return { steps: [{ ...FIRST(), added: entries, direction }], at: 0 };
  }

  get isBlank() {
    const { premise, setting, present } = this.scene.direction;
    const told = premise || setting || present.length || this.scene.entries.length;
    return !told && this.steps.length === 1;
  }

  replay(at) {
    const path = [];
    for (let i = at; i !== null && i !== undefined; i = this.steps[i].parent) path.unshift(i);
    return path.reduce((scene, i) => this.change(scene, this.steps[i]), {
      entries: [],
      direction: UNDIRECTED,
    });
  }

  change({ entries, direction }, step) {
    const after = entries.slice(step.start + step.removed);
    return {
      entries: [...entries.slice(0, step.start), ...step.added, ...after],
      direction: step.direction ?? direction,
    };
  }

  // A patch is {steps: [[index, step], ...], extended: [[index, entries], ...], at}.
  apply({ steps = [], extended = [], at }) {
    for (const [index, step] of steps) this.steps[index] = step;
    for (const [index, added] of extended) {
      const step = this.steps[index];
      this.steps[index] = { ...step, added: [...step.added, ...added] };
    }
    const follows = steps.length === 1 && steps[0][0] === at && steps[0][1].parent === this.at;
    const grows = !steps.length && at === this.at;
    if (follows && !extended.length) this.scene = this.change(this.scene, this.steps[at]);
    else if (!grows || extended.length) this.scene = this.replay(at);
    this.at = at;
    // Redo leads back along the way to where the scene stands; the server need not say so.
    for (let i = at; this.steps[i].parent !== null && this.steps[i].parent !== undefined; ) {
      const { parent } = this.steps[i];
      this.steps[parent] = { ...this.steps[parent], onward: i };
      i = parent;
    }
  }
}
