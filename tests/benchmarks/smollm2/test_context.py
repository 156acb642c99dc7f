from benchmarks.smollm2.context import cut_context
from train.data.chat_example import ChatExample


def test_the_scored_lines_are_the_same_after_every_context() -> None:
    lines = [f"[DOT] Line {number}." for number in range(35)]
    example: ChatExample = {
        "prompt": [
            {"role": "system", "content": "Continue."},
            {"role": "user", "content": "\n".join(lines[:5])},
        ],
        "completion": [{"role": "assistant", "content": "\n".join(lines[5:])}],
    }
    short, long = cut_context(example, 3), cut_context(example, 20)
    assert short["completion"] == long["completion"]
    assert short["completion"][0]["content"].splitlines() == lines[20:30]
    assert [m["content"].splitlines() for m in short["prompt"]] == [["Continue."], lines[17:20]]
    assert long["prompt"][1]["content"].splitlines() == lines[:20]
