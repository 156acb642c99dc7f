import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { SilenceWatch } from "../../../demo/static/silence_watch.js";
import { fakeBrowser, fakeTimers } from "./fake_browser.js";

let reloads = 0;
let isReachable = true;
/** @type {(time: number) => void} */
let wait;

beforeEach(() => {
  reloads = 0;
  isReachable = true;
  fakeBrowser({
    location: { pathname: "/", reload: () => reloads++ },
    fetch: async () => isReachable || Promise.reject(new TypeError("Failed to fetch")),
  });
  wait = fakeTimers();
});

/** @param {SilenceWatch} watch */
async function stayUnanswered(watch) {
  watch.ask();
  wait(15_000);
  await new Promise(setImmediate);
}

test("the page is loaded anew, once, if the server is there and does not answer", async () => {
  const watch = new SilenceWatch(() => true);
  await stayUnanswered(watch);
  assert.equal(reloads, 1);
  await stayUnanswered(watch);
  assert.equal(reloads, 1);
});

test("it stays while the server answers, or is not there", async () => {
  const watch = new SilenceWatch(() => true);
  watch.ask();
  watch.hear();
  wait(15_000);
  isReachable = false;
  await stayUnanswered(watch);
  assert.equal(reloads, 0);
  isReachable = true;
  await stayUnanswered(watch);
  assert.equal(reloads, 1);
});

test("it stays while words are on the page alone", async () => {
  await stayUnanswered(new SilenceWatch(() => false));
  assert.equal(reloads, 0);
});
