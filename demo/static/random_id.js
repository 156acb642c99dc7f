/**
 * Random identifiers.
 */

/** Create a random identifier. */
export function randomId() {
  return crypto.getRandomValues(new Uint32Array(2)).join("-");
}
