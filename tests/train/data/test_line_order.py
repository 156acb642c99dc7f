"""Short runs learn every line before they learn any of them again."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from train.data.chat_example import ChatExample
from train.data.line_order import order_by_new_lines


def window(*numbers: int) -> ChatExample:
    text = "\n".join(f"[DOT] Line {number}." for number in numbers)
    return {"prompt": [], "completion": [{"role": "assistant", "content": text}]}


def numbers_of(example: ChatExample) -> list[str]:
    return example["completion"][0]["content"].split("\n")


@given(st.integers(1, 80), st.integers(1, 40), st.integers(1, 8), st.integers(0, 99))
def test_nothing_is_lost_and_the_seed_decides(
    count: int, length: int, stride: int, seed: int
) -> None:
    windows = [window(*range(i * stride, i * stride + length)) for i in range(count)]
    ordered = order_by_new_lines(windows, seed)
    assert sorted(map(str, ordered)) == sorted(map(str, windows))
    assert ordered == order_by_new_lines(windows, seed)


@given(st.integers(1, 6), st.integers(0, 99))
def test_windows_that_share_nothing_come_first(episodes: int, seed: int) -> None:
    # Windows of 30 lines, one every 5, as the real ones are.
    windows = [
        window(*range(1000 * episode + start, 1000 * episode + start + 30))
        for episode in range(episodes)
        for start in range(0, 91, 5)
    ]
    ordered = order_by_new_lines(windows, seed)
    seen: Counter[str] = Counter()
    repeats = []
    for example in ordered:
        lines = numbers_of(example)
        repeats.append(sum(seen[line] for line in lines) / len(lines))
        seen.update(lines)
    fresh = sum(each == 0 for each in repeats)
    assert all(each == 0 for each in repeats[:fresh])
    # Of four windows that fit end to end, a greedy choice finds at least two.
    assert fresh >= 2 * episodes
