// Draws the script and lets its lines be edited in place. All words come in as text nodes: what a
// model or a person wrote is never markup.

const MARKS = {
  model: ["", "by the model"],
  human: ["by hand", ""],
  edited: ["edited", "after the model"],
  quotation: ["quotation", "word for word in the training scripts"],
};
const VOICES = 8; // as many colours as style.css has; a larger cast shares them

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

// Each text has a direction of its own, so that right-to-left words turn nothing around them.
const say = (text) => make("bdi", { dir: "auto" }, text);

// Spoken, not shown.
const aside = (text) => make("span", { class: "aside" }, text);

const voicesOf = (cast, entries) => {
  const names = [...new Set([...cast, ...entries.map((entry) => entry.speaker).filter(Boolean)])];
  return new Map(names.map((name, i) => [name, i % VOICES]));
};

const originOf = (entry, quoted) => {
  if (!entry.take) return "human";
  if (entry.edited) return "edited";
  return quoted.has(entry.text) ? "quotation" : "model";
};

class Script {
  constructor(list, tell) {
    this.list = list;
    this.tell = tell;
    this.drawn = [];
    this.edit = null; // the field that is being edited, what it said, and whether it was typed in
    list.addEventListener("focusin", ({ target }) => this.begin(target));
    list.addEventListener("input", () => this.edit && (this.edit.typed = true));
    list.addEventListener("keydown", (event) => this.key(event));
    list.addEventListener("focusout", ({ target }) => this.finish(target));
  }

  // Only what differs is drawn anew: the cursor stays where somebody types, whatever comes in.
  draw(entries, { cast, quoted, editable }) {
    const voices = voicesOf(cast, entries);
    const keys = entries.map((entry) =>
      JSON.stringify([entry, voices.get(entry.speaker), originOf(entry, quoted)]),
    );
    const rows = [...this.list.querySelectorAll(":scope > .entry:not(.draft)")];
    let start = 0;
    while (start < keys.length && start < rows.length && keys[start] === this.drawn[start]) start++;
    let end = 0;
    const most = Math.min(keys.length, rows.length) - start;
    while (end < most && keys[keys.length - 1 - end] === this.drawn[rows.length - 1 - end]) end++;
    for (const row of rows.slice(start, rows.length - end)) row.remove();
    const before = rows[rows.length - end] ?? null;
    for (let i = start; i < keys.length - end; i++) {
      const row = this.row(entries[i], voices.get(entries[i].speaker), originOf(entries[i], quoted));
      this.list.insertBefore(row, before);
    }
    this.drawn = keys;
    [...this.list.querySelectorAll(":scope > .entry:not(.draft)")].forEach((row, i) => this.number(row, i));
    this.list.classList.toggle("fixed", !editable);
    for (const field of this.list.querySelectorAll("[contenteditable]")) {
      const mode = editable ? "plaintext-only" : "false";
      if (field.getAttribute("contenteditable") !== mode) field.setAttribute("contenteditable", mode);
    }
  }

  row(entry, voice, origin) {
    const row = make("li", { class: entry.speaker ? `entry voice-${voice}` : "entry stage" });
    if (entry.speaker) row.append(this.field("name", entry.speaker));
    const [shown, spoken] = MARKS[origin];
    const title = entry.take ? `${entry.take.model}, seed ${entry.take.seed}` : "written by a person";
    row.append(
      this.field("words", entry.text),
      make("span", { class: `mark ${origin}`, title }, shown, aside(`${shown && " "}${spoken}`)),
      make("button", { type: "button", class: "more", "aria-haspopup": "menu" }, "\u22ef"),
    );
    return row;
  }

  field(kind, text) {
    const attributes = { class: kind, dir: "auto", role: "textbox", spellcheck: "false" };
    return make("span", { ...attributes, contenteditable: "plaintext-only" }, text);
  }

  number(row, index) {
    if (row.dataset.index === String(index)) return;
    row.dataset.index = index;
    row.querySelector(".name")?.setAttribute("aria-label", `Who speaks line ${index + 1}`);
    row.querySelector(".words").setAttribute("aria-label", `Line ${index + 1}`);
    row.querySelector(".more").setAttribute("aria-label", `What to do with line ${index + 1}`);
  }

  // The scene as it is, after an edit that was refused.
  reset() {
    this.drawn = [];
  }

  words(row) {
    return {
      speaker: row.querySelector(".name")?.textContent ?? null,
      text: row.querySelector(".words").textContent,
    };
  }

  begin(field) {
    if (field.isContentEditable) this.edit = { field, before: field.textContent, typed: false };
  }

  finish(field) {
    const edit = this.edit;
    const row = field.closest?.(".entry");
    if (!edit || edit.field !== field || row.classList.contains("draft")) return;
    this.edit = null;
    if (field.textContent === edit.before) return;
    const now = this.words(row);
    const kind = field.classList.contains("name") ? "speaker" : "text";
    const was = { ...now, [kind]: edit.before };
    this.tell("revise", { index: Number(row.dataset.index), was, now });
  }

  key(event) {
    const { target, key } = event;
    if (!target.isContentEditable || event.isComposing) return;
    if (key === "Escape") target.textContent = this.edit?.before ?? "";
    if (key === "Enter" || key === "Escape") {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (key === "Escape") event.stopPropagation();
      if (target.closest(".draft")) this.settle(target.closest(".draft"), key === "Enter");
      else target.blur();
    }
  }

  // An empty line before the entry at an index, to be filled in.
  draft(index, speaker) {
    this.list.querySelector(".draft")?.remove();
    const row = make("li", { class: "entry draft" });
    row.append(this.field("name", speaker), this.field("words", ""));
    row.querySelector(".name").setAttribute("aria-label", "Who speaks the new line");
    row.querySelector(".words").setAttribute("aria-label", "The new line");
    row.dataset.before = index;
    const rows = this.list.querySelectorAll(":scope > .entry:not(.draft)");
    this.list.insertBefore(row, rows[index] ?? null);
    row.addEventListener("focusout", ({ relatedTarget }) => {
      if (!row.contains(relatedTarget)) this.settle(row, true);
    });
    row.querySelector(".words").focus();
  }

  settle(row, kept) {
    if (row.dataset.settled) return; // its removal takes the focus away, which settles again
    row.dataset.settled = "1";
    const { speaker, text } = this.words(row);
    const index = Number(row.dataset.before);
    this.edit = null;
    row.remove();
    if (kept && text.trim()) this.tell("insert", { index, speaker: speaker || null, text });
  }
}
