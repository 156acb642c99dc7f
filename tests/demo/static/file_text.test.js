import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeText } from "../../../demo/static/file_text.js";

const TEXT = "ÉTIENNE\r\nOui.\r\n";

test("a file's text is UTF-8, with or without a byte order mark", () => {
  const bytes = new TextEncoder().encode(TEXT);
  assert.equal(decodeText(bytes), TEXT);
  assert.equal(decodeText(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes])), TEXT);
});

test("a file's text is UTF-16 if its byte order mark says so", () => {
  const little = Buffer.from(`\ufeff${TEXT}`, "utf16le");
  assert.equal(decodeText(new Uint8Array(little)), TEXT);
  assert.equal(decodeText(new Uint8Array(Buffer.from(little).swap16())), TEXT);
});
