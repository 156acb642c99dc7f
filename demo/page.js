// Lets the lines on the page be edited in place and openings be taken, and keeps the line that
// is being written in sight. Gradio runs this with `element`, the page, and `trigger`, which
// tells the server.
const read = (entry, kind) => entry.querySelector(`.${kind}`)?.textContent ?? null;
let before = null;

element.addEventListener("focusin", ({ target }) => {
  if (target.isContentEditable) before = target.textContent;
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
