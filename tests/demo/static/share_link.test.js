import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { deflateRawSync, inflateRawSync } from "node:zlib";

import { SceneLog } from "../../../demo/static/scene_log.js";
import { readLink, writeLink } from "../../../demo/static/share_link.js";
import { fakeBrowser } from "./fake_browser.js";

const PAGE = "http://127.0.0.1:7860/";

/** Node knows this format since versions 20.12 and 21.2. */
const options = { skip: supportsRawDeflate() ? false : "this node has no deflate-raw" };

function supportsRawDeflate() {
  try {
    return Boolean(new CompressionStream("deflate-raw"));
  } catch {
    return false;
  }
}

const log = new SceneLog({
  steps: [
    { parent: null, start: 0, removed: 0, added: [] },
    {
      parent: 0,
      start: 0,
      removed: 0,
      added: [{ text: "<b>ما هذا</b> \u{1f9f3} ~~~???>>>", speaker: "DOT", edited: false }],
      direction: { premise: "Tea.", setting: "A hall", present: ["DOT"] },
    },
  ],
  at: 1,
});

/**
 * Open an address.
 *
 * @param {string} address
 * @returns The addresses that it is replaced by.
 */
function openAddress(address) {
  const { origin, pathname, search, hash } = new URL(address);
  /** @type {string[]} */
  const replaced = [];
  /**
   * @param {unknown} _state
   * @param {unknown} _title
   * @param {string} url
   */
  const replaceState = (_state, _title, url) => replaced.push(url);
  fakeBrowser({
    location: { origin, pathname, search, hash },
    history: { replaceState },
  });
  return replaced;
}

/** @param {Buffer} bytes */
const encode = (bytes) => `${PAGE}#scene=${bytes.toString("base64url")}`;

beforeEach(() => openAddress(PAGE));

test("a link holds the current scene and no other version", options, async () => {
  const link = await writeLink(log);
  assert.match(link, /^http:\/\/127\.0\.0\.1:7860\/#scene=[\w-]+$/);
  const replaced = openAddress(link);
  const history = await readLink();
  assert.deepEqual(history, log.snapshot);
  assert.deepEqual(new SceneLog(history).scene, log.scene);
  assert.deepEqual(replaced, ["/"]);
});

test("the format is JSON, deflated, in URL-safe base64", options, async () => {
  const code = (await writeLink(log)).split("#scene=")[1];
  const text = inflateRawSync(Buffer.from(code, "base64url")).toString();
  assert.deepEqual(JSON.parse(text), log.snapshot);
  openAddress(encode(deflateRawSync(JSON.stringify(log.snapshot))));
  assert.deepEqual(await readLink(), log.snapshot);
});

test("an address without a scene", async () => {
  assert.equal(await readLink(), null);
  openAddress(`${PAGE}#elsewhere`);
  assert.equal(await readLink(), null);
});

test("a damaged link is refused", options, async () => {
  const link = await writeLink(log);
  for (const damaged of [link.slice(0, -40), `${PAGE}#scene=%%%`, `${PAGE}#scene=e30`]) {
    openAddress(damaged);
    await assert.rejects(readLink());
  }
});

test("a small link that unpacks to too much is refused", options, async () => {
  openAddress(encode(deflateRawSync(`"${"x".repeat(2e6)}"`)));
  await assert.rejects(readLink());
});

test("a link that is no history is refused", options, async () => {
  for (const data of [{ steps: 5, at: 0 }, { ...log.snapshot, more: 1 }, [], 7]) {
    openAddress(encode(deflateRawSync(JSON.stringify(data))));
    await assert.rejects(readLink());
  }
});

test("a scene that no link can hold is said to be too long", options, async () => {
  const added = [{ text: "x".repeat(2e6) }];
  const long = new SceneLog({ steps: [{ start: 0, removed: 0, added }], at: 0 });
  await assert.rejects(writeLink(long), RangeError);
});
