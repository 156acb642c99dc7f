/**
 * Scripts on their way to the controller: files, folders, and their parts.
 */

import { createElement } from "../dom.js";

const PART = 3 << 20; // bytes; the room takes requests of up to 16 MiB, and base64 adds a third

/** @typedef {{ name: string, file: File }} NamedFile */

/**
 * Let a person choose files, or a folder.
 *
 * @param {"multiple" | "webkitdirectory"} kind
 * @param {(files: NamedFile[]) => void} use
 */
export function chooseScripts(kind, use) {
  const field = createElement("input", { type: "file", [kind]: "" });
  field.addEventListener("change", () => {
    const files = [...(field.files ?? [])];
    use(files.map((file) => ({ name: file.webkitRelativePath || file.name, file })));
  });
  field.click();
}

/**
 * List dropped files, and those in dropped folders.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<NamedFile[]>}
 */
export async function listDropped(transfer) {
  // All entries at once: after the first wait the browser has forgotten them.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const found = await Promise.all(entries.map((entry) => (entry ? listEntry(entry) : [])));
  return found.flat();
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<NamedFile[]>}
 */
async function listEntry(entry) {
  const name = entry.fullPath.replace(/^\//, "");
  if (entry instanceof FileSystemFileEntry) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name, file }];
  }
  if (!(entry instanceof FileSystemDirectoryEntry)) return [];
  const reader = entry.createReader();
  /** @type {NamedFile[]} */
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return files;
    for (const each of some) files.push(...(await listEntry(each)));
  }
}

/**
 * Name the folder that files come from; one file gives its own name.
 *
 * @param {NamedFile[]} files
 */
export function nameFolder(files) {
  const [first, ...others] = files[0].name.split("/");
  if (others.length) return first;
  return files.length === 1 ? first.replace(/\.\w+$/, "") : "";
}

/**
 * Send files part by part.
 *
 * @param {NamedFile[]} files
 * @param {(action: string, fields: object) => Promise<boolean>} ask
 * @param {(done: number) => void} tell Called with how many files have arrived.
 * @returns {Promise<boolean>} Whether all have arrived.
 */
export async function sendScripts(files, ask, tell) {
  if (!(await ask("begin", {}))) return false;
  for (const [index, { name, file }] of files.entries()) {
    tell(index);
    let offset = 0;
    do {
      const data = await encode(file.slice(offset, offset + PART));
      if (!(await ask("add", { name, offset, data }))) return false;
      offset += PART;
    } while (offset < file.size);
  }
  return true;
}

/**
 * Encode bytes in base64.
 *
 * @param {Blob} bytes
 * @returns {Promise<string>}
 */
function encode(bytes) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,?/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(bytes);
  });
}
