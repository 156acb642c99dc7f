// The scenes that this browser keeps, in its own storage and nowhere else. gr.BrowserState would
// send the whole scene to and fro at every change and hold one value for all tabs; here a scene
// is saved where it is, and a tab that finds it changed by another tab saves its own as a copy.

const SHELF = "nothing-gpt/scene/";
const OPEN = "nothing-gpt/open";

const newScene = () => ({ id: crypto.getRandomValues(new Uint32Array(2)).join("-"), name: "" });

class Shelf {
  constructor(say) {
    this.say = say;
    this.scene = newScene();
    this.timer = null;
    this.book = null;
  }

  read(id) {
    try {
      return JSON.parse(localStorage.getItem(SHELF + id));
    } catch {
      return null; // not ours, or no storage at all
    }
  }

  list() {
    const keys = [];
    try {
      for (let i = 0; i < localStorage.length; i++) keys.push(localStorage.key(i));
    } catch {
      return [];
    }
    const scenes = keys.filter((key) => key.startsWith(SHELF)).map((key) => this.read(key.slice(SHELF.length)));
    return scenes.filter((scene) => scene?.journal).sort((a, b) => b.saved - a.saved);
  }

  // What this tab had open, else what was saved last.
  last() {
    const id = sessionStorage.getItem(OPEN);
    return id ? this.read(id) : (this.list()[0] ?? null);
  }

  open(scene) {
    this.flush();
    this.scene = scene ? { id: scene.id, name: scene.name, stamp: scene.stamp } : newScene();
    this.book = null;
    sessionStorage.setItem(OPEN, this.scene.id);
  }

  keep(book) {
    this.book = book;
    this.timer ??= setTimeout(() => this.flush(), 250);
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    if (!this.book || (this.book.isBlank && !this.read(this.scene.id))) return;
    const book = this.book;
    this.book = null;
    const other = this.read(this.scene.id);
    if (this.scene.stamp && !other) this.scene.stamp = undefined; // deleted elsewhere: it lives on
    if (other && other.stamp !== this.scene.stamp) {
      this.scene = { ...newScene(), name: `${titleOf(this.scene, book)} (copy)` };
      sessionStorage.setItem(OPEN, this.scene.id);
      this.say("This scene was changed in another tab; yours goes on as a copy beside it.");
    }
    this.scene.stamp = crypto.getRandomValues(new Uint32Array(1))[0];
    this.write({ ...this.scene, title: titleOf(this.scene, book), saved: Date.now(), journal: book.journal }, book);
  }

  // A scene that came from elsewhere, kept from the start.
  add(journal) {
    const book = new Book(journal);
    const stamp = crypto.getRandomValues(new Uint32Array(1))[0];
    const record = { ...newScene(), stamp, title: titleOf({}, book), saved: Date.now(), journal };
    this.write(record, book);
    return record;
  }

  write(record, book) {
    try {
      localStorage.setItem(SHELF + record.id, JSON.stringify(record));
    } catch {
      try { // full: the scene comes before its history
        localStorage.setItem(SHELF + record.id, JSON.stringify({ ...record, journal: book.snapshot }));
      } catch {
        this.say("This browser has no room left to keep the scene; export it, or delete old scenes.");
      }
    }
  }

  rename(id, name) {
    const record = this.read(id);
    if (record) {
      const book = new Book(record.journal);
      const renamed = { ...record, name, title: titleOf({ name }, book) };
      localStorage.setItem(SHELF + id, JSON.stringify(renamed));
    }
    if (id === this.scene.id) this.scene.name = name;
  }

  remove(id) {
    localStorage.removeItem(SHELF + id);
  }
}

const titleOf = ({ name }, { scene }) =>
  name || scene.direction.premise || scene.entries[0]?.text.slice(0, 60) || "Untitled scene";
