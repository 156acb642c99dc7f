// Lets the lines on the page be edited in place and openings be taken, and keeps the line that
// is being written in sight. Gradio runs this with `element`, the page, `trigger`, which tells the
// server, and `watch`, which is told of every new drawing.
const read = (entry, kind) => entry.querySelector(`.${kind}`)?.textContent ?? null;
let before = null; // what the field that is being edited said
let typed = null; // what the writer has made of it
let caret = 0;

element.addEventListener("focusin", ({ target }) => {
  if (!target.isContentEditable) return;
  before = target.textContent;
  typed = null;
});

element.addEventListener("input", ({ target }) => {
  typed = target.textContent;
  caret = getSelection().anchorOffset;
});

// A drawing that comes in the middle of an edit must not take the words away. Whether the line
// is still the one that was edited, the server sees when it gets them.
watch("value", () => {
  const field = document.activeElement;
  if (typed === null || !element.contains(field) || field.textContent === typed) return;
  field.textContent = typed;
  if (typed) getSelection().collapse(field.firstChild, Math.min(caret, typed.length));
});

element.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (!target.isContentEditable || event.isComposing) return;
  if (key === "Escape") target.textContent = before;
  if (key === "Enter" || key === "Escape") {
    event.preventDefault();
    target.blur();
  }
});

element.addEventListener("focusout", ({ target }) => {
  const entry = target.closest("[data-index]");
  const text = target.textContent;
  if (!entry || before === null || text === before) return;
  const now = { speaker: read(entry, "name"), text: read(entry, "words") };
  const was = { ...now, [target.classList.contains("name") ? "speaker" : "text"]: before };
  before = null;
  const index = Number(entry.dataset.index);
  trigger("edit", { index, previous_value: was, value: now });
});

element.addEventListener("click", ({ target }) => {
  const card = target.closest("[data-opening]");
  if (card) trigger("select", { index: Number(card.dataset.opening), value: "" });
});

// The dock floats over the end of the sheet. As long as the reader has not scrolled away from
// the last line, the window follows it.
const sheet = element.closest("#sheet");
const hidden = () => {
  const last = [...sheet.querySelectorAll(".entry")].at(-1);
  const dock = document.querySelector("#dock");
  return last && dock ? last.getBoundingClientRect().bottom + 16 - dock.getBoundingClientRect().top : 0;
};
let following = true;
window.addEventListener("scroll", () => (following = hidden() < 120), { passive: true });
new MutationObserver(() => {
  if (following && hidden() > 0) window.scrollBy(0, hidden());
}).observe(sheet, { childList: true, characterData: true, subtree: true });
