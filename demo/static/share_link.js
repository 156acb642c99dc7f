/**
 * A scene as a link. The scene is in the part of the address after "#", which browsers send to
 * no server. It is the current scene without other versions; opening the link makes a copy.
 */

import { isHistory } from "./history_check.js";

/** @import { HistoryLog, SceneLog } from "./scene_log.js" */

const PREFIX = "#scene=";
const LONG = 8000; // characters: some programs cut off longer links
// Bytes of a scene: a small link can unpack to any size, and the scene is stored beside the others
// in the five million characters that a browser gives. A film's script has half of it.
const MAX_SIZE = 1e6;

/**
 * Compress or decompress bytes.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {CompressionStream | DecompressionStream} stream
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {RangeError} The result is larger than `MAX_SIZE`.
 */
async function pipe(bytes, stream) {
  let size = 0;
  /** @type {TransformStream<Uint8Array, Uint8Array>} */
  const limit = new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > MAX_SIZE) controller.error(new RangeError("too large"));
      else controller.enqueue(chunk);
    },
  });
  const piped = new Blob([bytes]).stream().pipeThrough(stream).pipeThrough(limit);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/**
 * Write a link to a scene: JSON, compressed with DEFLATE, in URL-safe base64 without padding.
 *
 * @param {SceneLog} log
 * @returns {Promise<string>}
 * @throws {RangeError} The scene is larger than `MAX_SIZE`.
 */
export async function writeLink(log) {
  const text = new TextEncoder().encode(JSON.stringify(log.snapshot));
  if (text.length > MAX_SIZE) throw new RangeError("too large");
  const bytes = await pipe(text, new CompressionStream("deflate-raw"));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const code = btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${PREFIX}${code}`;
}

/**
 * Read the scene in the page's address, and remove it from there: a reload opens the copy and
 * makes no second one.
 *
 * @returns {Promise<HistoryLog | null>} Null if the address has no scene.
 * @throws {Error} The link is damaged.
 */
export async function readLink() {
  if (!location.hash.startsWith(PREFIX)) return null;
  const code = location.hash.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
  history.replaceState(null, "", location.pathname + location.search);
  const bytes = Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));
  const text = await pipe(bytes, new DecompressionStream("deflate-raw"));
  const data = JSON.parse(new TextDecoder().decode(text));
  if (!isHistory(data)) throw new TypeError("no history");
  return data;
}

/**
 * Copy a link to a scene.
 *
 * @param {SceneLog} log
 * @param {(message: string) => void} report
 */
export async function copyLink(log, report) {
  let link;
  try {
    link = await writeLink(log);
  } catch {
    report("The scene is too long for a link; export it as JSON and send the file.");
    return;
  }
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    prompt("Copy this link:", link); // a page without HTTPS has no clipboard
    return;
  }
  const long =
    link.length > LONG ? " It is long: where it is cut off, send the JSON file." : "";
  report(`The link is copied. Whoever opens it gets a copy of the scene as it is now.${long}`);
}
