/**
 * The fields of Gradio's own components that the page reads or fills in.
 */

import { closestTarget, findAll } from "./dom.js";

const TYPED_FIELDS = /** @type {const} */ (["premise", "setting", "guests"]);

/** @typedef {typeof TYPED_FIELDS[number]} TypedField */

/**
 * The direction's fields as they are on the page, without those that the model does not use.
 *
 * @typedef {Partial<Record<TypedField, string>> & { present?: string[] }} DirectionFields
 */

/**
 * Let the Tab key leave a list of options and close it. Gradio 6.31 handles the key after the field
 * has lost the focus and closed its list, and opens the list again. A list that scrolls is itself
 * a stop of the Tab key in Chromium, and then gone.
 */
export function closeListsByTab() {
  const handle = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Tab" || !closestTarget(event, "[role=combobox]")) return;
    event.stopPropagation();
    for (const list of findAll(document, "[role=listbox]")) list.tabIndex = -1;
  };
  addEventListener("keydown", handle, { capture: true });
}

/** @returns {DirectionFields} */
export function readDirection() {
  /** @type {DirectionFields} */
  const fields = {};
  for (const id of TYPED_FIELDS) {
    const field = findField(id);
    if (field) fields[id] = field.value;
  }
  const boxes = [...document.querySelectorAll("#present input[type=checkbox]")];
  if (boxes.length) {
    fields.present = boxes
      .filter((box) => box instanceof HTMLInputElement && box.checked)
      .map((box) => box.closest("label")?.textContent?.trim() ?? "");
  }
  return fields;
}

/**
 * Find the text field of a component.
 *
 * @param {string} id The component's elem_id.
 * @returns {HTMLTextAreaElement | HTMLInputElement | null}
 */
function findField(id) {
  const field = document.querySelector(`#${id} :is(textarea, input[type=text])`);
  const isField = field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement;
  return isField ? field : null;
}

/** The field for what happens next. */
export const findBeat = () => findField("beat");

/** The composer's text field. */
export function findComposer() {
  const field = document.querySelector("#compose textarea");
  return field instanceof HTMLTextAreaElement ? field : null;
}

/** The name in the composer. */
export function readSpeaker() {
  const field = document.querySelector("#compose input");
  return field instanceof HTMLInputElement ? field.value : "";
}

/**
 * Fill a name into the composer, as if it was typed.
 *
 * @param {string} name
 */
export function fillSpeaker(name) {
  const field = document.querySelector("#compose input");
  if (!(field instanceof HTMLInputElement) || !name || field.value === name) return;
  field.focus();
  fill(field, name);
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  field.blur();
}

/**
 * Fill a text into a field of Gradio, as if it was typed.
 *
 * @param {HTMLTextAreaElement | HTMLInputElement} field
 * @param {string} text
 */
export function fill(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Take the line out of the composer. */
export function takeComposed() {
  const composer = findComposer();
  const text = composer?.value ?? "";
  if (composer && text) fill(composer, "");
  return text;
}

/**
 * Tell which typed field of the direction an event comes from.
 *
 * @param {EventTarget | null} target
 * @returns {TypedField | null}
 */
export function nameField(target) {
  return TYPED_FIELDS.find((id) => target instanceof Element && findField(id) === target) ?? null;
}
