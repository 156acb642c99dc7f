/**
 * An episode: scenes in order, each with a heading and an outline of one line. These functions
 * change nothing; they return a new episode.
 */

/** @import { Scene, HistoryLog } from "../scene_log.js" */

/**
 * A scene of an episode: the id under which it is stored, a heading such as INT. OFFICE - DAY, and
 * what happens in it.
 *
 * @typedef {{ id: string, heading: string, outline: string }} EpisodeScene
 */

/** @typedef {{ id: string, title: string, scenes: EpisodeScene[] }} Episode */

/**
 * Tell whether data are an episode.
 *
 * @param {any} data
 * @returns {data is Episode}
 */
export function isEpisode(data) {
  const isText = (/** @type {unknown} */ value) => typeof value === "string";
  const isScene = (/** @type {any} */ scene) =>
    isId(scene?.id) && isText(scene.heading) && isText(scene.outline);
  const hasScenes = Array.isArray(data?.scenes) && data.scenes.every(isScene);
  return hasScenes && isId(data.id) && isText(data.title);
}

/**
 * Tell whether a value can be the id of a scene or an episode.
 *
 * @param {unknown} value
 */
export const isId = (value) => typeof value === "string" && /^[\w-]{1,64}$/.test(value);

/**
 * Add a scene after another one, or at the end. A scene is in an episode once.
 *
 * @param {Episode} episode
 * @param {EpisodeScene} scene
 * @param {string} [after] The other one's id.
 * @returns {Episode}
 */
export function addScene(episode, scene, after) {
  const { scenes } = removeScene(episode, scene.id);
  const place = scenes.findIndex(({ id }) => id === after) + 1 || scenes.length;
  return { ...episode, scenes: [...scenes.slice(0, place), scene, ...scenes.slice(place)] };
}

/**
 * Move a scene by some places; it stops at either end.
 *
 * @param {Episode} episode
 * @param {string} id
 * @param {number} step
 * @returns {Episode}
 */
export function moveScene(episode, id, step) {
  const from = episode.scenes.findIndex((scene) => scene.id === id);
  if (from < 0) return episode;
  const to = Math.min(Math.max(from + step, 0), episode.scenes.length - 1);
  const others = removeScene(episode, id).scenes;
  const scenes = [...others.slice(0, to), episode.scenes[from], ...others.slice(to)];
  return { ...episode, scenes };
}

/**
 * Take a scene out.
 *
 * @param {Episode} episode
 * @param {string} id
 * @returns {Episode}
 */
export function removeScene(episode, id) {
  return { ...episode, scenes: episode.scenes.filter((scene) => scene.id !== id) };
}

/**
 * Change a scene's heading or outline.
 *
 * @param {Episode} episode
 * @param {string} id
 * @param {Partial<EpisodeScene>} changes
 * @returns {Episode}
 */
export function describeScene(episode, id, changes) {
  const change = (/** @type {EpisodeScene} */ scene) =>
    scene.id === id ? { ...scene, ...changes } : scene;
  return { ...episode, scenes: episode.scenes.map(change) };
}

/**
 * List what happens before a scene, as far as outlines say.
 *
 * @param {Episode} episode
 * @param {string} id
 * @returns {string[]}
 */
export function listBefore({ scenes }, id) {
  const place = scenes.findIndex((scene) => scene.id === id);
  const outlines = scenes.slice(0, Math.max(place, 0)).map(({ outline }) => outline.trim());
  return outlines.filter((outline) => outline);
}

/**
 * Make a scene of the entries from an index on. A heading that they begin with is its setting; the
 * premise stays with the entries before.
 *
 * @param {Scene} scene
 * @param {number} index
 * @returns {{ heading: string, history: HistoryLog }}
 */
export function splitScene({ entries, direction }, index) {
  const [first] = entries.slice(index);
  const isHeading = first?.form === "heading";
  const setting = isHeading ? first.text : direction.setting;
  const added = entries.slice(isHeading ? index + 1 : index);
  const step = { parent: null, start: 0, removed: 0, added };
  const history = { steps: [{ ...step, direction: { ...direction, setting, premise: "" } }], at: 0 };
  return { heading: setting, history };
}
