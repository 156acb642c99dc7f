"""Names, paths and versions of the deployment on Modal."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The root of the checkout; in a container, the folder that contains our packages."""

DATA_PREP = "nothing-gpt-data-prep"
TRAIN = "nothing-gpt-train"
SERVE = "nothing-gpt-serve"
DEMO = "nothing-gpt-demo"
EVALUATION = "nothing-gpt-evaluation"
"""The names of the apps."""

ENDPOINT = "Endpoint"
"""The class of the serve app that answers HTTP; the demo app looks up its address."""

VOLUME = "nothing-gpt"
VOLUME_VERSION = 2
MOUNT = "/volume"
"""Where every container mounts the volume: the workspace that the stages share."""

REMOTE = "/root"
"""Where Modal puts local packages; it is on the containers' Python path."""

PYTHON = "3.11"

PROJECT = (str(ROOT / "pyproject.toml"), f"{REMOTE}/pyproject.toml")
"""The local file and its copy in a container, which reads it again on import."""

CONSTRAINTS = (str(ROOT / "constraints.txt"), f"{REMOTE}/constraints.txt")
VLLM_CONSTRAINTS = (str(ROOT / "constraints-vllm.txt"), f"{REMOTE}/constraints-vllm.txt")
"""The local files and their copies in an image: versions and hashes of all packages. vLLM has a
file of its own, because it pins another torch than training."""
