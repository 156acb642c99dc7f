/** Buttons that delete at the second click: what they delete cannot be restored. */

/**
 * Tell whether this is the second click; at the first the button asks for it.
 *
 * @param {HTMLElement} button
 */
export function isConfirmed(button) {
  if (button.classList.contains("confirming")) return true;
  button.classList.add("confirming");
  button.textContent = "Really?";
  return false;
}

/**
 * Make the next click the first one again.
 *
 * @param {HTMLElement} button
 * @param {string} label
 */
export function askAgain(button, label) {
  button.classList.remove("confirming");
  button.textContent = label;
}
