/**
 * Small helpers for building and reading the page. Text always becomes a text node: what a model
 * or a person wrote is never markup.
 */

/**
 * What Gradio passes to the script of a `gr.HTML` component.
 *
 * @typedef {object} GradioComponent
 * @property {HTMLElement} element The component's root element.
 * @property {{ value: string | null }} props `value` is JSON text from the server.
 * @property {(event: string, data: object) => void} trigger Sends an event to the server.
 * @property {(prop: string, callback: () => void) => void} watch Calls back on a new value.
 */

/** Colours for speakers in theme.css; a larger cast shares them. */
export const SPEAKER_COLOURS = 8;

/**
 * Create an element with attributes and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function createElement(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * Wrap a text so that it has its own direction: right-to-left words turn nothing around them.
 *
 * @param {string} text
 */
export function isolateText(text) {
  return createElement("bdi", { dir: "auto" }, text);
}

/**
 * Create a text for screen readers only.
 *
 * @param {string} text
 */
export function createHiddenText(text) {
  return createElement("span", { class: "visually-hidden" }, text);
}

/**
 * Find an element that must exist.
 *
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`no element matches ${selector}`);
  return found;
}

/**
 * Find a dialog that must exist.
 *
 * @param {ParentNode} root
 * @param {string} id
 */
export function findDialog(root, id) {
  const dialog = find(root, `#${id}`);
  if (!(dialog instanceof HTMLDialogElement)) throw new Error(`#${id} is not a dialog`);
  return dialog;
}

/**
 * Find an input field that must exist.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export function findInput(root, selector) {
  const field = find(root, selector);
  if (!(field instanceof HTMLInputElement)) throw new Error(`${selector} is not an input`);
  return field;
}

/**
 * Find the elements that match a selector.
 *
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export function findAll(root, selector) {
  return [...root.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement);
}

/**
 * Find the closest HTML element around an event's target, the target included.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null} Null also where the target is the document or the window.
 */
export function closestTarget({ target }, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/**
 * Tell whether an event happened in an element whose text can be edited.
 *
 * @param {EventTarget | null} target
 * @returns {target is HTMLElement}
 */
export function isEditable(target) {
  return target instanceof HTMLElement && target.isContentEditable;
}
