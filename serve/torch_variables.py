"""Environment variables of both engines, which torch reads when it is first imported."""

import os

from nothing_gpt.hardware.torch_caches import LARGE_PAGES, bound_caches

_VARIABLES = {
    # Idle threads sleep after about 50 microseconds. With OpenMP's default, which spins for
    # longer, a token took 150 ms beside a busy process and 20 ms with this; alone both take 19 ms.
    "GOMP_SPINCOUNT": "50000",
    # The cache of the running sequences is read from end to end for each token: eight streams are
    # a fifth faster.
    **LARGE_PAGES,
    # A prompt of a new length has 5 products that the cache does not have yet.
    **bound_caches(64),
}


def list_torch_variables() -> dict[str, str]:
    """Return the variables with this process's values, or else ours."""
    return {name: os.environ.get(name, value) for name, value in _VARIABLES.items()}
