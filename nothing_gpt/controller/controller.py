"""The controller of one new show at a time: what can be asked of it, and in which state."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from nothing_gpt.controller import summary
from nothing_gpt.controller.job import BUSY, Job, State, read_job, write_job
from nothing_gpt.controller.requests import (
    Corrections,
    Nothing,
    Rights,
    SourceName,
    clean_text,
    make_character,
)
from nothing_gpt.controller.show_files import choose_name, delete_untrained, list_commands
from nothing_gpt.controller.task import STOPPED, Task
from nothing_gpt.controller.uploads import Chunk, Uploads
from nothing_gpt.errors import UserError
from nothing_gpt.files import make_folder, write_text
from nothing_gpt.show import load_show, render_show
from nothing_gpt.workspace import Workspace

_POLL_INTERVAL = 0.1  # seconds between two looks at the running task


class RefusedError(UserError):
    """What was asked does not fit the state of the job."""


class Controller:
    """One new show at a time. All methods can be called from any thread.

    Args:
        base: The option of train.
    """

    def __init__(self, workspace: Workspace, base: str) -> None:
        self._workspace, self._base = workspace, base
        folder = workspace.new_show
        self._path, self._draft = folder / "job.json", folder / "draft.json"
        self._scripts = folder / "scripts"
        self._task = Task(folder / "task")
        self._lock = threading.Lock()
        self._job = read_job(self._path)
        if self._job.state in BUSY:
            self._watch()

    # What can be asked.

    def begin(self, _: Nothing) -> None:
        """Begin a new show; one that was not trained is forgotten."""
        with self._lock:
            self._require_idle()
            self._forget()
            self._save(Job("collecting"))

    def add(self, chunk: Chunk) -> None:
        """Add a part of a script."""
        with self._lock:
            self._require("collecting")
            uploads = Uploads(self._scripts, dict(self._job.files))
            uploads.add(chunk)
            if uploads.names != self._job.files:
                self._save(replace(self._job, files=uploads.names))

    def read(self, given: SourceName) -> None:
        """Draft a show from the scripts that have arrived, and prepare its examples."""
        with self._lock:
            self._require("collecting", "failed")
            job = self._job
            if not job.files:
                raise RefusedError("no scripts have arrived; drop some files first")
            if not job.name:
                words = clean_text(given.name) or PurePosixPath(next(iter(job.files))).stem
                job = replace(job, name=choose_name(self._workspace, words))
                folder = self._workspace.source(job.name)
                make_folder(folder.parent)
                self._scripts.rename(folder)
            self._start(replace(job, state="reading"), "data_prep")

    def correct(self, given: Corrections) -> None:
        """Write the show file with corrected names, and prepare the examples again."""
        with self._lock:
            self._require("read", "trained", "stopped", "failed")
            path = self._workspace.draft(self._job.name)
            if not self._job.name or not path.exists():
                raise RefusedError("there is no show to correct; read the scripts first")
            show = load_show(str(path))
            voices = {member.name: member.voice for member in show.cast}
            try:
                cast = tuple(make_character(member, voices) for member in given.cast)
                title = clean_text(given.title) or show.title
                corrected = replace(show, title=title, cast=cast)
            except ValueError as error:
                raise UserError(str(error)) from None
            write_text(path, render_show(corrected))
            self._start(replace(self._job, state="reading"), "data_prep")

    def train(self, given: Rights) -> None:
        """Train, or go on after a stop."""
        with self._lock:
            self._require("read", "stopped", "trained", "failed")
            rights = clean_text(given.rights)
            if not rights:
                raise UserError("say whose scripts these are, or under which licence you use them")
            path = self._workspace.draft(self._job.name)
            if self._report() is None or not path.exists():
                raise RefusedError("the scripts are not read yet")
            show = load_show(str(path))
            if show.corpus.licence != rights:
                corpus = replace(show.corpus, licence=rights)
                write_text(path, render_show(replace(show, corpus=corpus)))
            job = replace(self._job, state="training", rights=rights)
            # The examples again, if they are not those of the show file.
            self._start(job, "data_prep", "train")

    def stop(self, _: Nothing) -> None:
        """Stop reading or training; training saves what it has first."""
        with self._lock:
            self._require(*BUSY)
            if self._job.stopping:  # a second time, at once
                self._task.kill()
                return
            self._task.stop()
            self._save(replace(self._job, stopping=True))

    def forget(self, _: Nothing) -> None:
        """Forget the job; what is not trained is deleted."""
        with self._lock:
            self._require_idle()
            self._forget()
            self._save(Job())

    def describe(self) -> dict[str, Any]:
        """Describe the job for the page.

        Raises:
            UserError: a file of it was replaced at this moment.
        """
        job, place = self._job, self._workspace
        is_trained = job.state == "trained"
        return {
            "state": job.state,
            "stopping": job.stopping,
            "name": job.name,
            "message": job.message,
            "rights": job.rights,
            "files": len(job.files),
            "show": summary.summarize_show(place.draft(job.name)) if job.name else None,
            "suspects": summary.list_suspects(self._draft),
            "report": self._report(),
            "adapter": summary.summarize_adapter(place.adapter(job.name)) if is_trained else None,
            "command": f"python -m serve --show {job.name}" if job.name else "",
            **summary.summarize_progress(self._task.read_progress()),
        }

    def close(self, seconds: float) -> None:
        """Stop a running task in order, and wait for it so long.

        A task that needs longer ends by itself; the next controller waits for it.
        """
        with self._lock:
            if self._job.state in BUSY:
                self._task.stop()
                self._save(replace(self._job, stopping=True))
        end = time.monotonic() + seconds
        while self._job.state in BUSY and time.monotonic() < end:
            time.sleep(_POLL_INTERVAL)

    # How it is done.

    def _require(self, *states: State) -> None:
        if self._job.state not in states:
            raise RefusedError(_EXPLANATIONS[self._job.state])

    def _require_idle(self) -> None:
        if self._job.state in BUSY:
            raise RefusedError(_EXPLANATIONS[self._job.state])

    def _save(self, job: Job) -> None:
        self._job = job  # first: on a full disk, what is in memory is still right
        write_job(self._path, job)

    def _report(self) -> dict[str, Any] | None:
        name = self._job.name
        return summary.summarize_report(self._workspace.data(name)) if name else None

    def _start(self, job: Job, *stages: str) -> None:
        place = self._workspace
        uploads = Uploads(place.source(job.name), job.files)
        commands = list_commands(place, job.name, uploads, self._draft, self._base, *stages)
        try:
            self._task.start(commands)
        except BlockingIOError:
            raise RefusedError("the step before has not ended yet; try again soon") from None
        self._watch()  # first: what runs is watched also if a full disk keeps nothing of it
        self._save(replace(job, message="", stopping=False))

    def _watch(self) -> None:
        threading.Thread(target=self._wait_for_task, daemon=True).start()

    def _wait_for_task(self) -> None:
        while self._task.is_running:
            time.sleep(_POLL_INTERVAL)
        with self._lock:
            self._save(self._settle(self._job))

    def _settle(self, job: Job) -> Job:
        """Return the job after its task has ended."""
        done: State = "read" if job.state == "reading" else "trained"
        status = self._task.status
        if status == 0:
            return replace(job, state=done, message="", stopping=False)
        can_go_on: State = "stopped" if job.state == "training" else "failed"
        if status == STOPPED or job.stopping:
            return replace(job, state=can_go_on, message="Stopped.", stopping=False)
        if status is None or status < 0:
            text = "It was killed, perhaps because the memory was full."
            return replace(job, state=can_go_on, message=text, stopping=False)
        source = str(self._workspace.source(job.name))
        words = self._task.last_words.replace(f"{source}/", "").replace(source, "the scripts")
        return replace(job, state="failed", message=words, stopping=False)

    def _forget(self) -> None:
        """Delete the scripts of the job, and what was made of them, unless it was trained."""
        shutil.rmtree(self._scripts, ignore_errors=True)
        self._draft.unlink(missing_ok=True)
        if self._job.name:
            delete_untrained(self._workspace, self._job.name)


_EXPLANATIONS: dict[State, str] = {
    "empty": "there is no new show; drop scripts first",
    "collecting": "the scripts are still arriving",
    "reading": "the scripts are being read; wait, or stop it",
    "read": "the scripts are read already",
    "training": "a training is running; one at a time: wait, or stop it",
    "trained": "this show is trained already; begin a new one",
    "stopped": "the training was stopped; go on with it, or begin a new show",
    "failed": "the last step failed; begin a new show",
}
