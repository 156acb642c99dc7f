// Everything frequent by one key. The page's own buttons are pressed, so that a key can do nothing
// that a button could not.

const MAIN = /Mac|iPhone|iPad/.test(navigator.platform) ? "metaKey" : "ctrlKey";

const press = (id) => {
  const button = document.querySelector(`#${id}:is(button), #${id} button`);
  if (!button || button.disabled) return false;
  button.click();
  return true;
};

const writes = (field) => field?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(field?.tagName ?? "");

class Keys {
  constructor(help, script) {
    this.help = help;
    this.script = script;
    addEventListener("keydown", (event) => {
      if (!event.isComposing && this.act(event)) event.preventDefault();
    });
    help.querySelector("button").addEventListener("click", () => help.close());
  }

  act(event) {
    const { key, code, shiftKey, altKey, target } = event;
    const main = event[MAIN];
    if (main && key === "Enter") {
      if (target.isContentEditable) target.blur(); // what was typed there counts first
      return press(shiftKey ? "takes" : "continue");
    }
    if (key === "Escape" && !document.querySelector(":popover-open, dialog[open]")) return press("stop");
    if (main && !altKey && /^[zy]$/i.test(key) && !this.undoesTyping(target)) {
      return press(shiftKey || key.toLowerCase() === "y" ? "redo" : "undo");
    }
    if (altKey && !main && code === "KeyR") return press("retake");
    if (altKey && !main && code === "KeyN") return this.focus("#compose textarea");
    if (key === "?" && !writes(target)) return this.show();
    return false;
  }

  // A field with words in it that were just typed keeps its own undo.
  undoesTyping(field) {
    if (field.isContentEditable) return this.script.edit?.typed ?? true;
    return writes(field) && field.value !== "";
  }

  focus(selector) {
    document.querySelector(selector)?.focus();
    return true;
  }

  show() {
    if (!this.help.open) this.help.showModal();
    return true;
  }
}
