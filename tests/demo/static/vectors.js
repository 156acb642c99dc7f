/**
 * The files that test_javascript.py passes to these tests. Without it, the tests that need them
 * are skipped.
 */

import { readFileSync } from "node:fs";

/** @import { HistoryLog, Scene } from "../../../demo/static/scene_log.js" */
/** @import { Message } from "../../../demo/static/page_sync.js" */

/**
 * Where a history stands: the open version and its scene, the versions that undo and redo lead
 * to, and the branches' last versions, the newest first, each with whether it is open.
 *
 * @typedef {object} State
 * @property {number} at
 * @property {Scene} scene
 * @property {number | null} undo
 * @property {number | null} redo
 * @property {[number, boolean][]} branches
 */

/**
 * Edits that Python made: a message and the state after each, the whole history at the end, and
 * the scenes of all its versions.
 *
 * @typedef {{ messages: Message[], states: State[], log: HistoryLog, scenes: Scene[] }} Sequence
 */

/** @param {string} variable */
const readJson = (variable) => {
  const path = process.env[variable];
  return path ? JSON.parse(readFileSync(path, "utf8")) : null;
};

/** @type {Sequence[]} */
export const vectors = readJson("VECTORS_FILE") ?? [];

/**
 * The bundles that Gradio runs, by name.
 *
 * @type {Record<string, string>}
 */
export const bundles = readJson("BUNDLES_FILE") ?? {};

/** Where the histories that the page ends with are written for Python. */
export const logsFile = process.env.LOGS_FILE ?? "";

/** The options of a test that needs the files. */
export const needsFiles = { skip: logsFile ? false : "run by test_javascript.py" };
