/**
 * The curve of the losses of a training.
 */

import { createElement } from "../dom.js";

const WIDTH = 560;
const HEIGHT = 150;
const MARGIN = { left: 34, right: 8, top: 8, bottom: 18 };
const NAMESPACE = "http://www.w3.org/2000/svg";

/** @typedef {[number, number][]} Points Steps and losses. */

/**
 * Draw the curves; nothing before the first loss.
 *
 * @param {HTMLElement} place
 * @param {Points} losses Of the examples that are trained on.
 * @param {Points} heldOut Of the others.
 */
export function drawCurve(place, losses, heldOut) {
  place.replaceChildren();
  const all = [...losses, ...heldOut];
  if (!all.length) return;
  const steps = all.map(([step]) => step);
  const values = all.map(([, loss]) => loss);
  const scale = {
    last: Math.max(...steps, 1),
    low: Math.min(...values),
    high: Math.max(...values),
  };
  const picture = createShape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  picture.setAttribute("aria-label", describeCurve(losses, heldOut));
  const locate = (/** @type {[number, number]} */ point) => placePoint(point, scale);
  for (const [name, points] of /** @type {const} */ ([
    ["trained", losses],
    ["held-out", heldOut],
  ])) {
    const line = points.map((point) => locate(point).join(",")).join(" ");
    picture.append(createShape("polyline", { points: line, class: name }));
    for (const [x, y] of points.slice(-1).map(locate)) {
      picture.append(createShape("circle", { cx: x, cy: y, r: 3, class: name }));
    }
  }
  for (const loss of new Set([scale.low, scale.high])) {
    const label = createShape("text", { x: 0, y: locate([0, loss])[1] + 4 });
    label.textContent = loss.toFixed(2);
    picture.append(label);
  }
  const trained = createElement("span", { class: "trained" }, "trained on");
  const other = createElement("span", { class: "held-out" }, "held out");
  place.append(picture, createElement("p", { class: "key", "aria-hidden": "true" }, trained, other));
}

/**
 * @param {[number, number]} point
 * @param {{ last: number, low: number, high: number }} scale
 * @returns {[number, number]}
 */
function placePoint([step, loss], { last, low, high }) {
  const width = WIDTH - MARGIN.left - MARGIN.right;
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const share = high > low ? (high - loss) / (high - low) : 0.5;
  const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  return [round(MARGIN.left + (width * step) / last), round(MARGIN.top + height * share)];
}

/**
 * @param {Points} losses
 * @param {Points} heldOut
 */
function describeCurve(losses, heldOut) {
  const parts = [];
  if (losses.length) parts.push(`loss ${describeLine(losses)}`);
  if (heldOut.length) parts.push(`held-out loss ${describeLine(heldOut)}`);
  return parts.join("; ");
}

/** @param {Points} points */
function describeLine(points) {
  const [, first] = points[0];
  const [step, last] = points[points.length - 1];
  return `from ${first.toFixed(2)} to ${last.toFixed(2)} at step ${step}`;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function createShape(tag, attributes) {
  const shape = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
  return shape;
}
