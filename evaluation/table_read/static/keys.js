/**
 * The keys 1 and 2 press the two buttons, once: a key that is held down must not vote again on a
 * page that nobody has read.
 */

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = document.querySelector(`.choice [aria-keyshortcuts="${CSS.escape(event.key)}"]`);
  if (button instanceof HTMLButtonElement) button.click();
});
