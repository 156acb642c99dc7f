"""Bounds on torch's caches, as environment variables that it reads when it is first imported."""

CACHE_BOUNDS = {
    # Products in bf16 keep about 0.5 MB for each number of rows that they have seen, in a cache of
    # oneDNN's and in one of torch's, of 1,024 each: 0.5 GB after 240 prompts of many lengths, and
    # 1.4 GB after 120 training steps. Decoding has at most 22 kinds of products, and a prompt of a
    # new length 5.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    "LRU_CACHE_CAPACITY": "64",
}
