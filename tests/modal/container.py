"""A container's view: the files and packages of its image, and nothing else of this machine.

The files are those that the client uploaded. In place of a virtual environment of its own (torch
alone would take minutes), every distribution is hidden that the image's pins do not bring along.
"""

import os
import pickle
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.modal.control_plane import ControlPlane

_IMAGE = """
import os, sys
from importlib.machinery import PathFinder

class Image:
    hidden = set(os.environ["HIDDEN"].split(","))
    find_distributions = staticmethod(PathFinder.find_distributions)
    invalidate_caches = staticmethod(PathFinder.invalidate_caches)
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.hidden:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Image()
"""

_CALL = """
import importlib, pickle
function = importlib.import_module(os.environ["MODULE"])
for part in os.environ["FUNCTION"].split("."):
    function = getattr(function, part)
arguments, options = pickle.load(sys.stdin.buffer)
os.dup2(2, 1)
data = pickle.dumps(function.local(*arguments, **options))
with open(os.environ["RESULT"], "wb") as file:
    file.write(data)
"""


def lay_out(plane: ControlPlane, function: Any, folder: Path) -> Path:
    """Put the files of a function's container into a folder; give its `/root`."""
    for name, data in plane.files(function).items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "root"


def variables(plane: ControlPlane, function: Any) -> dict[str, str]:
    """The environment that a function's image sets, with the volume's folder for the volume."""
    lines = [line for line in plane.image(function.image_id) if line.startswith("ENV ")]
    pairs = dict(line.removeprefix("ENV ").split("=", 1) for line in lines)
    for identity in function.secret_ids:
        name = identity.partition("-")[2]
        if name.isdigit():
            pairs |= dict(plane.asked("SecretGetOrCreate")[int(name)].env_dict)
        keys = plane.secrets.get(name, set())
        pairs |= {key: value for key, value in plane.values.items() if key in keys}
    return {k: v.strip("'").replace("/volume", str(plane.volume)) for k, v in pairs.items()}


def requirements(plane: ControlPlane, function: Any) -> list[str]:
    """The pins that pip installs into a function's image."""
    text = " ".join(plane.image(function.image_id))
    return re.findall(r"[\w.-]+==[\w.+-]+", text)


def start(
    plane: ControlPlane,
    function: Any,
    arguments: bytes,
    folder: Path,
    python: str = sys.executable,
) -> "subprocess.Popen[bytes]":
    """Start a container's process on pickled arguments; its result goes to `result` there."""
    process = execute(
        _CALL,
        plane,
        function,
        folder,
        python,
        MODULE=function.module_name,
        FUNCTION=function.implementation_name,
        RESULT=str(folder / "result"),
    )
    assert process.stdin
    process.stdin.write(arguments)
    process.stdin.close()
    return process


def execute(
    code: str,
    plane: ControlPlane,
    function: Any,
    folder: Path,
    python: str = sys.executable,
    **more: str,
) -> "subprocess.Popen[bytes]":
    """Start code where a function's container would run it.

    A `python` of another environment sees all of that environment.
    """
    root = lay_out(plane, function, folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        # Tests of other files have the machine's other cores.
        "OMP_NUM_THREADS": "1",
        **variables(plane, function),
        "PYTHONPATH": str(root),
        "HIDDEN": ",".join(hidden([*requirements(plane, function), "modal"]))
        if python == sys.executable
        else "",
        "MODAL_SERVER_URL": plane.url,
        "MODAL_TOKEN_ID": "ak-1",
        "MODAL_TOKEN_SECRET": "as-1",
        **more,
    }
    return subprocess.Popen(
        [python, "-c", _IMAGE + code],
        env=environment,
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[bytes]", folder: Path) -> bytes:
    """Wait for a container's process and give its pickled result.

    Raises:
        RuntimeError: it failed; the message is what it said.
    """
    assert process.stdout
    said = process.stdout.read().decode()
    if process.wait():
        raise RuntimeError(said)
    return (folder / "result").read_bytes()


def hidden(pins: list[str]) -> set[str]:
    """The packages that are installed here, and that these pins do not bring along."""
    kept: set[str] = set()
    queue = [Requirement(pin) for pin in pins]
    while queue:
        wanted = queue.pop()
        name = _canonical(wanted.name)
        key = f"{name}[{','.join(sorted(wanted.extras))}]"
        if key in kept:
            continue
        kept |= {name, key}
        try:
            needs = metadata.requires(wanted.name) or []
        except metadata.PackageNotFoundError:  # for another platform
            continue
        for need in map(Requirement, needs):
            extras = [*wanted.extras, ""]
            if not need.marker or any(need.marker.evaluate({"extra": e}) for e in extras):
                queue.append(need)
    packages = metadata.packages_distributions()
    return {
        package
        for package, owners in packages.items()
        if not any(_canonical(owner) in kept for owner in owners)
    }


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pickled(*arguments: Any) -> bytes:
    """Pickle positional arguments as the client does."""
    return pickle.dumps((arguments, {}))
