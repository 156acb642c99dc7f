"""Torch's use of memory, as environment variables that it reads when it is first imported."""

LARGE_PAGES = {"THP_MEM_ALLOC_ENABLE": "1"}
"""Memory comes by pages of 2 MB instead of 4 kB where the system has them (RESULTS.md)."""


def bound_caches(products: int) -> dict[str, str]:
    """Return the variables that keep so many products of matrices in torch's caches.

    Products in bf16 keep about 0.5 MB for each number of rows that they have seen, in a cache of
    oneDNN's and in one of torch's, of 1,024 each: 0.5 GB after 240 prompts of many lengths, and
    1.4 GB after 120 training steps.
    """
    return {
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": str(products),
        "LRU_CACHE_CAPACITY": str(products),
    }
