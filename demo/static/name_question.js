/**
 * The question before a name that looks mistyped becomes a character.
 */

import { find } from "./dom.js";

/**
 * Count the smallest number of letters to add, leave out, change or swap with the next one.
 *
 * @param {string} from
 * @param {string} to
 */
function countTypos(from, to) {
  const [a, b] = [[...from], [...to]];
  /** @type {number[][]} */
  const table = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    table[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = table[i - 1][j - 1] + Number(a[i - 1] !== b[j - 1]);
      table[i][j] = Math.min(changed, table[i - 1][j] + 1, table[i][j - 1] + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) table[i][j] = Math.min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.length][b.length];
}

/**
 * Find the known name that somebody may have meant.
 *
 * @param {string} typed
 * @param {string[]} known
 * @returns {string} Empty if the name is known, or like none.
 */
export function findMeantName(typed, known) {
  const name = typed.trim().replace(/\s+/g, " ").toUpperCase();
  if (!name || known.includes(name)) return "";
  const most = name.length > 4 ? 2 : 1;
  const typos = known.map((each) => ({ each, count: countTypos(name, each) }));
  const [closest] = typos.sort((a, b) => a.count - b.count);
  return closest && closest.count <= most ? closest.each : "";
}

/** The dialog with the question. */
export class NameQuestion {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    /** @type {(name: string) => void} */
    this.answer = () => {};
    dialog.addEventListener("click", ({ target }) => {
      if (!(target instanceof HTMLButtonElement)) return;
      dialog.close();
      this.answer(target.value);
    });
  }

  /**
   * Ask which of two names is meant. Esc answers nothing.
   *
   * @param {string} typed
   * @param {string} meant
   * @param {(name: string) => void} answer
   */
  ask(typed, meant, answer) {
    this.answer = answer;
    find(this.dialog, "p").textContent = `${typed} is not in the scene yet. Is ${meant} meant?`;
    for (const [place, name, label] of [
      [".meant", meant, meant],
      [".typed", typed, `${typed}, a new character`],
    ]) {
      const button = find(this.dialog, place);
      button.textContent = label;
      /** @type {HTMLButtonElement} */ (button).value = name;
    }
    if (!this.dialog.open) this.dialog.showModal();
  }
}
