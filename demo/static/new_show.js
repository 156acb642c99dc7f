/**
 * The component in which scripts become a new show: its dialog, and the state of a training.
 *
 * All state is the controller's. The page asks for it and draws it, so that a page that was loaded
 * anew, or a second tab, shows the same.
 */

import { closestTarget, find, findDialog, findInput } from "./dom.js";
import { CastForm } from "./new_show/cast_form.js";
import { drawCurve } from "./new_show/loss_curve.js";
import { Questions } from "./new_show/questions.js";
import { drawReport } from "./new_show/report.js";
import { chooseScripts, listDropped, nameFolder, sendScripts } from "./new_show/scripts.js";
import { describeStep, describeTraining } from "./new_show/wording.js";

/** @import { GradioComponent } from "./dom.js" */
/** @import { Answer, Job } from "./new_show/questions.js" */
/** @import { NamedFile } from "./new_show/scripts.js" */

const LOOK_INTERVAL = 1000; // milliseconds

/** The dialog and the line below its button. */
class NewShow {
  /** @param {GradioComponent} component */
  constructor({ element, trigger }) {
    this.element = element;
    this.trigger = trigger;
    this.dialog = findDialog(element, "new-show-dialog");
    this.questions = new Questions((fields) => trigger("ask", fields));
    this.cast = new CastForm(find(this.dialog, ".speakers"));
    /** The state that is drawn; a report is drawn anew only if it has changed. */
    this.drawn = "";
    /** Whether files are on their way. */
    this.sending = false;
    /** Whether this page has seen the training that has ended now. */
    this.sawTraining = false;
    /** Whether something went on when the controller answered last. */
    this.busy = false;
    this.looking = 0;
  }

  /** @param {string} text */
  report(text) {
    find(this.dialog, ".trouble").textContent = text;
  }

  /**
   * Ask the controller, and draw its answer.
   *
   * @param {string} [action]
   * @param {object} [fields]
   * @returns {Promise<boolean>} Whether it was done.
   */
  async ask(action = "", fields = {}) {
    const answer = await this.questions.ask(action, fields);
    if (answer.error !== undefined) {
      this.report(answer.error);
    } else {
      if (action) this.report("");
      this.draw(answer);
    }
    this.lookLater(answer);
    return answer.error === undefined;
  }

  /**
   * Look again soon if something goes on.
   *
   * @param {Answer} answer
   */
  lookLater({ job, offered }) {
    clearTimeout(this.looking);
    if (job) this.busy = job.state === "reading" || job.state === "training";
    const waiting = !job || (job.state === "trained" && !offered);
    if (this.busy || (waiting && this.dialog.open)) {
      this.looking = setTimeout(() => this.ask(), LOOK_INTERVAL);
    }
  }

  /** @param {Answer} answer */
  draw({ job, offered = false }) {
    if (!job) return;
    const { dialog } = this;
    const busy = job.state === "reading" || job.state === "training";
    const hasReport = Boolean(job.report) && !busy;
    this.show(".sending", ["empty", "collecting"].includes(job.state) && !this.sending);
    this.show(".working", busy || this.sending);
    this.show(".done", job.state === "trained");
    this.show(".report", hasReport);
    this.show("footer", !busy && !this.sending && job.state !== "empty");
    this.show(".again", job.state === "failed" && !job.report);
    this.sawTraining ||= job.state === "training";
    const note = find(this.element, ".running");
    // Its end is read aloud, and not every second of it.
    note.setAttribute("aria-live", job.state === "training" ? "off" : "polite");
    note.textContent = describeTraining(job, this.sawTraining);
    if (job.message && !busy) this.report(job.message);
    if (busy) this.#drawWork(job);
    if (job.state === "trained") this.#drawOutcome(job, offered);
    find(dialog, ".train").textContent = job.state === "stopped" ? "Go on training" : "Train";
    const state = JSON.stringify([job.report, job.show, job.suspects]);
    if (hasReport && state !== this.drawn) {
      this.drawn = state;
      drawReport(dialog, job);
      this.cast.draw(job);
      findInput(dialog, "[name=show-title]").value = job.show?.title ?? "";
      findInput(dialog, "[name=rights]").value ||= job.rights;
    }
  }

  /** @param {Job} job */
  #drawWork(job) {
    find(this.dialog, ".step").textContent = describeStep(job);
    this.#drawBar(job.progress?.done, job.progress?.steps);
    this.show(".slower", job.state === "training");
    this.show(".stop", true);
    const stop = find(this.dialog, ".stop");
    stop.textContent = job.stopping ? "Stop at once" : "Stop";
    drawCurve(find(this.dialog, ".curve"), job.losses, job.held_out);
  }

  /**
   * @param {number} [done]
   * @param {number} [steps]
   */
  #drawBar(done, steps) {
    const bar = find(this.dialog, "progress");
    if (!(bar instanceof HTMLProgressElement)) return;
    bar.removeAttribute("value");
    if (steps) [bar.max, bar.value] = [steps, done ?? 0];
  }

  /**
   * @param {Job} job
   * @param {boolean} offered
   */
  #drawOutcome({ show, adapter, command }, offered) {
    const loss = adapter ? ` Its held-out loss is ${adapter.loss}.` : "";
    const server = offered
      ? ""
      : ` The server is loading it. A server that does not follow offers it after ${command}.`;
    find(this.dialog, ".outcome").textContent = `${show?.title} is trained.${loss}${server}`;
    const write = find(this.dialog, ".write");
    write.dataset.model = adapter?.name ?? "";
    if (write instanceof HTMLButtonElement) write.disabled = !offered;
  }

  /**
   * @param {string} selector
   * @param {boolean} visible
   */
  show(selector, visible) {
    find(this.dialog, selector).hidden = !visible;
  }

  /** @param {NamedFile[]} files */
  async send(files) {
    if (!files.length || this.sending) return;
    const typed = findInput(this.dialog, "[name=title]").value;
    this.sending = true;
    this.show(".slower", false);
    this.show(".stop", false);
    const tell = (/** @type {number} */ done) => {
      find(this.dialog, ".step").textContent = `Sending ${done} of ${files.length} files`;
      this.#drawBar(done, files.length);
    };
    const arrived = await sendScripts(files, (action, fields) => this.ask(action, fields), tell);
    this.sending = false;
    if (arrived) await this.ask("read", { name: typed || nameFolder(files) });
    else this.show(".working", false);
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const { dialog } = this;
    if (closestTarget(event, ".open")) this.open();
    if (closestTarget(event, ".close")) dialog.close();
    const send = (/** @type {NamedFile[]} */ files) => this.send(files);
    if (closestTarget(event, ".choose-files")) chooseScripts("multiple", send);
    if (closestTarget(event, ".choose-folder")) chooseScripts("webkitdirectory", send);
    if (closestTarget(event, ".stop")) this.ask("stop");
    if (closestTarget(event, ".again")) this.ask("read");
    if (closestTarget(event, ".over")) this.ask("forget");
    const write = closestTarget(event, ".write");
    if (write) {
      dialog.close();
      this.trigger("write", { model: write.dataset.model });
    }
  }

  open() {
    this.dialog.showModal();
    if (!this.closed) this.ask();
  }

  /** Whether nothing can be trained from this room. */
  get closed() {
    return Boolean(find(this.element, ".new-show").dataset.closed);
  }

  /** @param {Event} event */
  handleSubmit(event) {
    event.preventDefault();
    if (closestTarget(event, ".names")) {
      const title = findInput(this.dialog, "[name=show-title]").value;
      this.ask("correct", { title, cast: this.cast.read() });
    }
    if (closestTarget(event, ".training")) {
      this.ask("train", { rights: findInput(this.dialog, "[name=rights]").value });
    }
  }

  listen() {
    const { dialog, element } = this;
    element.addEventListener("click", (event) => this.handleClick(event));
    dialog.addEventListener("submit", (event) => this.handleSubmit(event));
    // A file that misses the zone would otherwise take the place of the page.
    dialog.addEventListener("dragover", (event) => event.preventDefault());
    dialog.addEventListener("drop", async (event) => {
      event.preventDefault();
      if (find(dialog, ".sending").hidden || !event.dataTransfer) return;
      this.send(await listDropped(event.dataTransfer));
    });
  }
}

/**
 * Start the component.
 *
 * @param {GradioComponent} component
 */
export function startNewShow(component) {
  const { props, watch } = component;
  const newShow = new NewShow(component);
  newShow.listen();
  newShow.show(".closed", newShow.closed);
  if (newShow.closed) return;
  watch("value", () => newShow.questions.hear(JSON.parse(props.value || "null")));
  newShow.ask();
}
