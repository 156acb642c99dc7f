"""Time that llguidance needs for a token mask of the cast lock, with Llama 3's vocabulary size.

    python -m benchmarks.vllm.lock_mask

vLLM fills the masks of a step one after the other in the engine's process, for up to 128 streams.
They cost no time as long as they take less than the GPU's step. Each token is drawn at random from
the allowed ones, as a model with random weights would, so every state of the grammar is reached.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import mean, median

from benchmarks.vllm.shapes import VOCABULARY, write_tokenizer
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.show import load_show

TOKENS = 256


def measure(regex: str, streams: int) -> list[float]:
    """Generate tokens for several streams; return the seconds of each mask."""
    import numpy as np
    import torch
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer
    from llguidance.torch import allocate_token_bitmask, fill_next_token_bitmask
    from transformers import PreTrainedTokenizerFast

    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(Path(folder))
        guide = from_tokenizer(PreTrainedTokenizerFast.from_pretrained(folder), VOCABULARY)
    grammar = LLMatcher.grammar_from_regex(regex)
    matchers = [LLMatcher(guide, grammar, log_level=0) for _ in range(streams)]
    randoms = [Random(i) for i in range(streams)]  # noqa: S311
    masks = allocate_token_bitmask(streams, VOCABULARY)
    seconds = []
    for _ in range(TOKENS):
        for row, (matcher, random) in enumerate(zip(matchers, randoms, strict=True)):
            if matcher.is_stopped():
                continue
            started = time.perf_counter()
            fill_next_token_bitmask(matcher, masks, row)
            seconds.append(time.perf_counter() - started)
            bits = np.unpackbits(masks[row].numpy().view(np.uint8), bitorder="little")
            allowed = torch.from_numpy(bits[:VOCABULARY].nonzero()[0])
            matcher.consume_token(int(allowed[random.randrange(len(allowed))]))
    return seconds


def main() -> None:
    """Read the command line, measure, and print a line of JSON for each expression."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.vllm.lock_mask", description=__doc__
    )
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--show", default="seinfeld")
    options = parser.parse_args()
    regex = CastLock(load_show(options.show).names, 40).regex()
    # The expression used until 253f43c, which limited a line to 640 characters.
    counted = regex.replace("]*", "]{0,639}")
    for name, expression in (("lock", regex), ("characters counted", counted)):
        seconds = measure(expression, options.streams)
        row = {
            "expression": name,
            "masks": len(seconds),
            "median us": round(1e6 * median(seconds), 1),
            "mean us": round(1e6 * mean(seconds), 1),
            "most us": round(1e6 * max(seconds)),
            "a step of all streams, mean ms": round(1e3 * options.streams * mean(seconds), 2),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
