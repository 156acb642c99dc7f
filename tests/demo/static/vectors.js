/**
 * The files that test_javascript.py passes to these tests. Without it, the tests that need them
 * are skipped.
 */

import { readFileSync } from "node:fs";

/** @param {string} variable */
const readJson = (variable) => {
  const path = process.env[variable];
  return path ? JSON.parse(readFileSync(path, "utf8")) : null;
};

/** Sequences of edits that Python made, with its messages and states. */
export const vectors = readJson("VECTORS_FILE");

/** The bundles that Gradio runs, by name. */
export const bundles = readJson("BUNDLES_FILE");

/** Where the histories that the page ends with are written for Python. */
export const logsFile = process.env.LOGS_FILE ?? "";

/**
 * The options of a test that needs one of the files.
 *
 * @param {unknown} file
 */
export const needs = (file) => ({ skip: file ? false : "run by test_javascript.py" });
