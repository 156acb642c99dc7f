"""Environment variables of both engines, which torch reads when it is first imported."""

import os

_VARIABLES = {
    # Idle threads sleep after about 50 microseconds. With OpenMP's default, which spins for
    # longer, a token took 150 ms beside a busy process and 20 ms with this; alone both take 19 ms.
    "GOMP_SPINCOUNT": "50000",
    # Products in bf16 keep about 0.5 MB for each number of rows that they have seen, in a cache of
    # oneDNN's and in one of torch's, of 1,024 each: 0.5 GB after 240 prompts of many lengths.
    # Decoding has at most 22 kinds of products, and a prompt of a new length 5.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    "LRU_CACHE_CAPACITY": "64",
}


def list_torch_variables() -> dict[str, str]:
    """Return the variables with this process's values, or else ours."""
    return {name: os.environ.get(name, value) for name, value in _VARIABLES.items()}
