"""The checks of votes and of a tuned adapter; each gives a reason to refuse, or nothing."""

from collections.abc import Iterable, Iterator, Mapping

from nothing_gpt.adapter.row_change import RowChange
from nothing_gpt.votes.share import (
    LEAST_AGREEMENT,
    LEAST_VOTES,
    Share,
    depends_on_place,
    is_guessed,
)
from train.preferences.preference_run import Method
from train.preferences.tuned_adapter import Outcome
from train.preferences.vote_set import VoteSet

_BITS = 1.02
_LENGTH = 0.10
_ERRORS = 2.0
"""Standard errors that a row of scenes must change by before the change counts as one."""

_NEAR = ("surprise", "cast share")
_RAW = "lines that parse (raw)"
_LENGTHS = ("words in a line", "lines in a scene, uncut")


def check_votes(votes: VoteSet, method: Method) -> Iterator[str]:
    """Yield what speaks against learning from votes at all."""
    if votes.count < LEAST_VOTES and method != "best-of-n":
        yield (
            f"{votes.count} votes of the {LEAST_VOTES} that tell a preference from chance; collect"
            " more, or say --best-of-n to learn only to write what was chosen"
        )
    if depends_on_place(votes.first_won):
        yield (
            f"what was shown first won {votes.first_won}: the votes are on the place, not on the"
            " text; shuffle what is shown, and vote again"
        )
    if is_guessed(votes.agreement):
        yield (
            f"of pairs that were judged again, the same text won {votes.agreement}, which is below"
            f" {LEAST_AGREEMENT:.0%}: the votes contradict each other"
        )


def check_outcome(outcome: Outcome, method: Method) -> Iterator[str]:
    """Yield what speaks against a tuned adapter."""
    yield from filter(
        None,
        (
            _check_held_out_votes(outcome.liked, method),
            _check_bits(outcome.before.bits, outcome.after.bits),
        ),
    )
    yield from _check_scenes(outcome.changes)


def _check_held_out_votes(liked: Share, method: Method) -> str:
    """Return why a tuned adapter is no better by the votes that it did not learn from."""
    if method == "best-of-n" or liked.interval[0] > 0.5:
        return ""
    return (
        f"the tuned adapter agrees with {liked} held-out votes, which chance does too: these votes"
        " taught nothing that holds for others, and nothing is changed"
    )


def _check_bits(before: float, after: float) -> str:
    """Return why a held-out loss on real scenes is too high, in bits a byte."""
    if after <= _BITS * before:
        return ""
    return (
        f"bits a byte of real held-out scenes rose from {before:.3f} to {after:.3f}, by more than"
        f" {_BITS - 1:.0%}: it writes less like the show"
    )


def _check_scenes(changes: Iterable[RowChange]) -> Iterator[str]:
    """Yield what became worse in the scenes of a tuned adapter."""
    rows: Mapping[str, RowChange] = {change.name: change for change in changes}
    if (raw := rows.get(_RAW)) and _is_seen(raw, raw.before - raw.after):
        yield (
            f"fewer lines parse: {raw.after:.1%} after {raw.before:.1%}, where real scenes have"
            f" {raw.real:.1%}"
        )
    for name in _LENGTHS:
        if (row := rows.get(name)) and _is_seen(row, abs(row.after - row.before)):
            moved = row.after / row.before - 1
            if abs(moved) > _LENGTH:
                yield (
                    f"{name}: {row.after:.1f} after {row.before:.1f}, a change of {moved:+.0%}"
                    f" where {_LENGTH:.0%} are allowed: the votes may be on length alone"
                )
    for name in _NEAR:
        if row := rows.get(name):
            farther = abs(row.after - row.real) - abs(row.before - row.real)
            if _is_seen(row, farther):
                yield (
                    f"{name} is farther from real scenes: {row.after:.3f} after {row.before:.3f},"
                    f" where they have {row.real:.3f}"
                )


def _is_seen(row: RowChange, change: float) -> bool:
    """Return whether a change for the worse is more than the noise of the scenes."""
    return change > _ERRORS * row.error
