/**
 * What is said about a job that goes on.
 */

/** @import { Job } from "./questions.js" */

/**
 * Describe the step that runs.
 *
 * @param {Job} job
 */
export function describeStep({ state, stopping, progress }) {
  if (stopping) return "Stopping, and saving what there is";
  if (state === "reading") return "Reading the scripts";
  if (!progress) return "Preparing the training";
  const { title, done, steps } = progress;
  const left = describeLeft(progress.seconds_left);
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}: step ${done} of ${steps}${left}`;
}

/**
 * Describe a training for the line below the button.
 *
 * @param {Job} job
 * @param {boolean} wasSeen Whether the writer has seen it run, and is told of its end.
 */
export function describeTraining({ state, show, progress }, wasSeen) {
  if (wasSeen && state === "trained") return `${show?.title ?? ""} is trained.`;
  if (wasSeen && state === "failed") return "The training failed; New show says why.";
  if (state !== "training") return "";
  const share = progress ? `, ${Math.floor((100 * progress.done) / progress.steps)}%` : "";
  const left = describeLeft(progress?.seconds_left);
  return `Training ${show?.title ?? ""}${share}${left}. Writing is slower meanwhile.`;
}

/** @param {number | null | undefined} seconds */
function describeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  return seconds < 90 ? `, ${seconds} s left` : `, ${Math.round(seconds / 60)} min left`;
}
