// The list of scenes that this browser keeps: open, name, delete, begin another.

class Scenes {
  constructor(root, shelf, { open, current }) {
    this.shelf = shelf;
    this.open = open;
    this.current = current;
    this.button = root.querySelector(".scenes");
    this.panel = root.querySelector("#scenes");
    this.panel.addEventListener("toggle", ({ newState }) => newState === "open" && this.draw());
    this.panel.addEventListener("click", ({ target }) => this.click(target));
    this.panel.addEventListener("change", ({ target }) => {
      shelf.rename(target.closest("li").dataset.scene, target.value.trim());
      this.label();
    });
    addEventListener("storage", () => this.panel.matches(":popover-open") && this.draw());
  }

  label() {
    const book = this.current();
    const title = book ? titleOf(this.shelf.scene, book) : "";
    this.button.querySelector("span").textContent = title;
    document.title = title ? `${title} - the writers' room` : "The writers' room";
  }

  draw() {
    this.shelf.flush();
    const list = this.panel.querySelector("ul");
    list.replaceChildren(...this.shelf.list().map((scene) => this.item(scene)));
    if (!list.children.length) list.append(make("li", { class: "hint" }, "Nothing is kept yet."));
  }

  item(scene) {
    const here = scene.id === this.shelf.scene.id;
    const when = new Date(scene.saved).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const name = make("input", { value: scene.name || scene.title, "aria-label": "Name of the scene" });
    const open = make("button", { type: "button", class: "open" }, here ? "open here" : "Open");
    if (here) open.disabled = true;
    const gone = make("button", { type: "button", class: "remove", "aria-label": `Delete ${scene.title}` }, "Delete");
    return make("li", { "data-scene": scene.id }, name, make("small", {}, when), open, gone);
  }

  click(target) {
    const id = target.closest("li")?.dataset.scene;
    if (target.closest(".new")) this.open(null);
    else if (target.closest(".open")) this.open(this.shelf.read(id));
    else if (target.closest(".remove")) return this.remove(target, id);
    else return;
    this.panel.hidePopover();
  }

  // Twice, because a deleted scene is gone for good.
  remove(button, id) {
    if (!button.classList.contains("sure")) {
      button.classList.add("sure");
      button.textContent = "Really?";
      return;
    }
    this.shelf.remove(id);
    if (id === this.shelf.scene.id) this.open(null);
    this.draw();
  }
}
