"""Where everything of a show lives: the one place that spells paths."""

import os
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.show import FormatName, Show

VARIABLE = "NOTHING_GPT_WORKSPACE"
"""Environment variable that moves the workspace; command-line options come before it."""

TRAINING_FILE = "train.jsonl"
HELD_OUT_FILE = "val.jsonl"
DIALOGUES_FILE = "dialogues.jsonl"
DATA_REPORT_FILE = "report.json"
"""What data_prep writes into a show's data folder."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that the stages share: Modal's volume, or a local folder git ignores."""

    root: Path

    @classmethod
    def default(cls) -> "Workspace":
        """The folder named by the environment, else `workspace` where the command runs."""
        return cls(Path(os.environ.get(VARIABLE) or "workspace"))

    def data(self, show: str, variant: str = "") -> Path:
        """A show's examples and the report on them; a variant is another format than its own."""
        return self.root / "data" / (f"{show}-{variant}" if variant else show)

    def examples(self, show: Show, format_name: FormatName) -> Path:
        """The folder of a show's examples in a format; its own format has the plain name."""
        variant = "" if format_name == show.prompt.format else format_name
        return self.data(show.name, variant)

    def base(self, show: str) -> Path:
        """The pocket base model built from a show's scripts."""
        return self.root / "bases" / f"pocket-{show}"

    def model(self, name: str) -> Path:
        """A base model that was imported once for all shows."""
        return self.root / "bases" / name

    def find_base(self, name: str) -> str:
        """Tell where a base is loaded from: our folder of that name, another one, or the hub."""
        folders = (self.root / "bases" / name, Path(name))
        return next((str(folder.resolve()) for folder in folders if folder.is_dir()), name)

    def template(self, base: str) -> Path:
        """The chat template by which a base model and its adapters are served."""
        return self.root / "templates" / f"{base}.jinja"

    def source(self, show: str) -> Path:
        """A show's scripts, where they were sent to a volume."""
        return self.root / "sources" / show

    def cache(self, name: str) -> Path:
        """What a library downloaded or compiled, and would otherwise do again."""
        return self.root / "cache" / name

    def checkpoints(self, name: str) -> Path:
        """What an interrupted training of an adapter continues from."""
        return self.root / "checkpoints" / name

    @property
    def adapters(self) -> Path:
        """Finished adapters, a folder each, named as the server names them."""
        return self.root / "adapters"

    def adapter(self, name: str) -> Path:
        """An adapter with its manifest, history and report: a show's, or `SHOW-PRESET`."""
        return self.adapters / name

    def export(self, name: str, form: str) -> Path:
        """An adapter in a form that other engines take."""
        return self.root / "exports" / f"{name}-{form}"

    def history(self, show: str) -> Path:
        """The picture of the loss curves of all runs of a show."""
        return self.root / "history" / f"{show}.png"

    @property
    def logs(self) -> Path:
        """What long-running commands wrote."""
        return self.root / "logs"
