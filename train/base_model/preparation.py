"""Preparation of a run's base: built, imported, or checked, before it is loaded."""

from pathlib import Path

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base
from nothing_gpt.errors import UserError
from train.base_model.folder_check import check_folder
from train.base_model.gguf_import import RECORD_FILE, check_gguf, import_gguf, is_imported
from train.base_model.pocket_training import ensure_pocket_base
from train.base_model.smollm2 import ensure_smollm2
from train.config.run import GgufBase, Run
from train.data.examples import RunExamples


def ensure_base(run: Run, examples: RunExamples) -> BaseModel | None:
    """Build or import the base if it is not there, and check it before it is loaded.

    Returns:
        Its name and fingerprint; None for a hub id, which loading identifies.

    Raises:
        UserError: it cannot be built, fetched or imported, or the folder holds no usable model.
    """
    if run.pocket:
        # A fresh preset keeps the base, which the show's own adapter uses too.
        fresh = run.fresh and not run.preset
        return ensure_pocket_base(
            run.pocket.folder, examples.pretraining, run.pocket.pretraining, fresh=fresh
        )
    if run.gguf:
        return _ensure_gguf(run.gguf)
    if Path(run.base_source).is_dir():
        check_folder(Path(run.base_source))
    return identify_folder(run)


def identify_folder(run: Run) -> BaseModel | None:
    """Return the name and fingerprint of a base that is a local folder; otherwise None."""
    folder = Path(run.base_source)
    return BaseModel(run.base, fingerprint_base(folder)) if folder.is_dir() else None


def _ensure_gguf(base: GgufBase) -> BaseModel:
    if base.file is None:
        return ensure_smollm2(base.folder)
    check_gguf(base.file)
    if not is_imported(base.file, base.folder):
        if base.folder.is_dir() and not (base.folder / RECORD_FILE).is_file():
            raise UserError(
                f"{base.folder}: another base has this name, and an import would replace it;"
                f" rename {base.file}"
            )
        print(f"importing {base.file} ...", flush=True)
        import_gguf(base.file, base.folder)
    return BaseModel(base.folder.name, fingerprint_base(base.folder))
