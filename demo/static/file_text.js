/** The text of a file that a writer brings. */

/**
 * Decode a text: UTF-16 by its byte order mark, or else UTF-8.
 *
 * @param {Uint8Array} bytes
 */
export function decodeText(bytes) {
  const [first, second] = bytes;
  let encoding = "utf-8";
  if (first === 0xff && second === 0xfe) encoding = "utf-16le";
  if (first === 0xfe && second === 0xff) encoding = "utf-16be";
  return new TextDecoder(encoding).decode(bytes);
}
