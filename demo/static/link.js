// A scene as a link. It stands in the part of an address that browsers send to no server: whoever
// has the link has the scene as it was, and who opens it gets a copy. Other versions are not in it.

const MARK = "#scene=";
const LONG = 8000; // characters, from which on some programs cut a link off
const MOST = 4e6; // bytes of a scene: a small link can unfold into any size

const squeeze = async (bytes, through) => {
  let size = 0;
  const bound = new TransformStream({
    transform: (chunk, out) => ((size += chunk.length) > MOST ? out.error(new RangeError("too large")) : out.enqueue(chunk)),
  });
  const stream = new Blob([bytes]).stream().pipeThrough(through).pipeThrough(bound);
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

async function writeLink(book) {
  const text = new TextEncoder().encode(JSON.stringify(book.snapshot));
  const bytes = await squeeze(text, new CompressionStream("deflate-raw"));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const code = btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${MARK}${code}`;
}

// The journal in the address, null where there is none; it is taken out, so that a reload opens
// the copy and makes no other. Throws where it is damaged.
async function readLink() {
  if (!location.hash.startsWith(MARK)) return null;
  const code = location.hash.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/");
  history.replaceState(null, "", location.pathname + location.search);
  const bytes = Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));
  const text = await squeeze(bytes, new DecompressionStream("deflate-raw"));
  return JSON.parse(new TextDecoder().decode(text));
}

async function copyLink(book, say) {
  const link = await writeLink(book);
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    prompt("Copy this link:", link); // an insecure page has no clipboard
    return;
  }
  const long = link.length > LONG ? " It is long: where it is cut off, send the JSON file." : "";
  say(`The link is copied. Whoever opens it gets a copy of the scene as it is now.${long}`);
}
