import assert from "node:assert/strict";
import { test } from "node:test";

import { bundles, needsFiles } from "./vectors.js";

test("the bundles are function bodies, as Gradio runs them", needsFiles, () => {
  for (const [name, text] of Object.entries(bundles)) {
    const parameters = ["element", "trigger", "props", "server", "upload", "watch"];
    assert.equal(typeof Function(...parameters, text), "function", name);
  }
});

test("the bundles name the events that the server handles", needsFiles, () => {
  // gr.HTML takes a handler for an event only if its script has the name in quotes.
  for (const event of ["hello", "connect", "again", "act", "retake", "export"]) {
    assert.ok(bundles.script.includes(`"${event}"`), event);
  }
  assert.ok(bundles["live script"].includes('"choose"'));
});
