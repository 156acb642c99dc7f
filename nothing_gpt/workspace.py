"""The workspace: the folder that the stages share, and all paths in it."""

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from nothing_gpt.show import FormatName, Show

VARIABLE = "NOTHING_GPT_WORKSPACE"
"""Environment variable with the workspace's path; command-line options override it."""

TRAINING_FILE = "train.jsonl"
HELD_OUT_FILE = "val.jsonl"
DIALOGUES_FILE = "dialogues.jsonl"
DATA_REPORT_FILE = "report.json"
"""Files that data_prep writes into a show's data folder."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that the stages share: Modal's volume, or a local folder that git ignores."""

    root: Path

    @classmethod
    def default(cls) -> "Workspace":
        """Return the folder in the environment, or else `workspace` in the working directory."""
        return cls(Path(os.environ.get(VARIABLE) or "workspace"))

    def data(self, show: str, variant: str = "") -> Path:
        """Return the folder of a show's examples and report.

        `variant` is the format, if it is not the show's own.
        """
        return self.root / "data" / (f"{show}-{variant}" if variant else show)

    def examples(self, show: Show, format_name: FormatName) -> Path:
        """Return the folder of a show's examples in a format."""
        variant = "" if format_name == show.prompt.format else format_name
        return self.data(show.name, variant)

    def base(self, show: str) -> Path:
        """Return the folder of the pocket base model made from a show's scripts."""
        return self.root / "bases" / f"pocket-{show}"

    def model(self, name: str) -> Path:
        """A base model that was imported once for all shows."""
        return self.root / "bases" / name

    def find_base(self, name: str) -> str:
        """Return what a base is loaded from.

        This is the folder of that name among the workspace's bases, or any other folder of that
        name; or else the name itself, which is then a hub id.
        """
        folders = (self.root / "bases" / name, Path(name))
        return next((str(folder.resolve()) for folder in folders if folder.is_dir()), name)

    def template(self, base: str) -> Path:
        """Return the file of the chat template that a base model is served with."""
        return self.root / "templates" / f"{base}.jinja"

    def source(self, show: str) -> Path:
        """Return the folder of a show's scripts that were uploaded to a volume or in the room."""
        return self.root / "sources" / show

    def draft(self, name: str) -> Path:
        """Return the show file that was drafted from scripts."""
        return self.root / "shows" / f"{name}.toml"

    @property
    def new_show(self) -> Path:
        """The folder of the controller: the show that is made in the room, and its task."""
        return self.root / "new_show"

    def cache(self, name: str) -> Path:
        """Return a library's cache folder, for downloads and compiled code."""
        return self.root / "cache" / name

    def checkpoints(self, name: str) -> Path:
        """Return the folder of the checkpoints of an adapter's training."""
        return self.root / "checkpoints" / name

    @property
    def adapters(self) -> Path:
        """The folder of finished adapters; each one's folder has its name at the server."""
        return self.root / "adapters"

    def adapter(self, name: str) -> Path:
        """Return an adapter's folder; by default the name is the show's, or `SHOW-PRESET`."""
        return self.adapters / name

    def replaced_adapter(self, name: str) -> Path:
        """Return a new folder for an adapter that another one of its name replaces."""
        folders = (self.root / "replaced" / f"{name}-{number}" for number in count(1))
        return next(folder for folder in folders if not folder.exists())

    def export(self, name: str, form: str) -> Path:
        """Return the folder of an adapter exported in another form."""
        return self.root / "exports" / f"{name}-{form}"

    def history(self, name: str) -> Path:
        """Return the picture of the loss curves of all runs of a show, or of a sweep."""
        return self.root / "history" / f"{name}.png"

    def evaluations(self, show: str) -> Path:
        """Return the folder of the runs of a show's evaluations."""
        return self.root / "evaluations" / show

    def evaluation(self, show: str, run: str) -> Path:
        """Return the folder of a model's scenes and scores."""
        return self.evaluations(show) / run

    def votes(self, show: str) -> Path:
        """Return the folder of the votes of a show's table reads."""
        return self.root / "votes" / show

    @property
    def logs(self) -> Path:
        """The folder of the output of long-running commands."""
        return self.root / "logs"
