import assert from "node:assert/strict";
import { test } from "node:test";

import { findMeantName } from "../../../demo/static/name_question.js";

const CAST = ["DOT", "FELIX", "JUNE", "MR. PIKE"];

test("a name with typos is like a known one", () => {
  for (const [typed, meant] of [
    ["FELXI", "FELIX"],
    ["felx ", "FELIX"],
    ["MR PIKE", "MR. PIKE"],
    ["DTO", "DOT"],
    ["JUNE", ""],
    ["june", ""],
    ["AUNT RUTH", ""],
    ["BEA", ""],
    ["", ""],
  ]) {
    assert.equal(findMeantName(typed, CAST), meant, typed);
  }
});
