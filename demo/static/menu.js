// What can be done with one line: by the button beside it, or by keys while the cursor is in it.

const DEEDS = [
  ["retake", "Retake from here", "Alt+R"],
  ["above", "Insert a line above", ""],
  ["below", "Insert a line below", "Alt+Enter"],
  ["up", "Move up", "Alt+\u2191"],
  ["down", "Move down", "Alt+\u2193"],
  ["delete", "Delete", "Alt+Del"],
];
const KEYS = { Enter: "below", ArrowUp: "up", ArrowDown: "down", Delete: "delete", Backspace: "delete" };

class Menu {
  constructor(root, script, tell) {
    this.script = script;
    this.tell = tell;
    this.panel = make("div", { class: "menu", role: "menu", popover: "auto", "aria-label": "This line" });
    for (const [deed, label, keys] of DEEDS) {
      const key = make("kbd", { "aria-hidden": "true" }, keys);
      this.panel.append(make("button", { type: "button", role: "menuitem", "data-deed": deed }, label, key));
    }
    root.append(this.panel);
    script.list.addEventListener("click", ({ target }) => {
      const button = target.closest(".more");
      if (button) this.open(button);
    });
    script.list.addEventListener("keydown", (event) => this.key(event));
    this.panel.addEventListener("keydown", (event) => this.walk(event));
    this.panel.addEventListener("click", ({ target }) => {
      const item = target.closest("[data-deed]");
      if (!item) return;
      this.panel.hidePopover();
      this.act(item.dataset.deed, this.row);
    });
  }

  open(button) {
    this.row = button.closest(".entry");
    this.panel.showPopover();
    const { right, bottom, top } = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.panel;
    const below = bottom + height + 8 < innerHeight;
    this.panel.style.left = `${Math.max(8, right - width)}px`;
    this.panel.style.top = `${Math.max(8, below ? bottom + 4 : top - height - 4)}px`;
    this.panel.firstElementChild.focus();
  }

  walk(event) {
    const items = [...this.panel.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  }

  key(event) {
    const row = event.target.closest?.(".entry:not(.draft)");
    if (!row || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const deed = event.code === "KeyR" ? "retake" : KEYS[event.key];
    if (!deed || this.script.list.classList.contains("fixed")) return;
    event.preventDefault();
    event.stopPropagation();
    event.target.blur?.(); // what was typed there counts first
    this.act(deed, row, true);
  }

  act(deed, row, stay = false) {
    const index = Number(row.dataset.index);
    const was = this.script.words(row);
    const last = this.script.drawn.length - 1;
    if (deed === "above" || deed === "below") {
      this.script.draft(deed === "above" ? index : index + 1, was.speaker ?? "");
    } else if (deed === "up" || deed === "down") {
      const to = index + (deed === "up" ? -1 : 1);
      if (to < 0 || to > last) return;
      if (stay) this.goal = to;
      this.tell("move", { index, was, to });
    } else {
      this.tell(deed, { index, was });
      if (stay && deed === "delete") this.goal = Math.min(index, last - 1);
    }
  }

  // The cursor goes along with a line that was moved by keys.
  arrive() {
    if (this.goal === undefined) return;
    this.script.list.querySelector(`[data-index="${this.goal}"] .words`)?.focus();
    this.goal = undefined;
  }
}
