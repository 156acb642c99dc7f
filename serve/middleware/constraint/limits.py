"""Limits on the parts of a request that are costly to read for either engine."""

import json
import re
from dataclasses import dataclass
from typing import Any

from serve.middleware.refusal import RefusedError

_CONSTRAINTS = ("structured_outputs", "response_format", "tools")
"""Fields from which an engine compiles a grammar."""

_MAX_CONSTRAINT_LENGTH = 16 * 1024  # characters of JSON; a cast lock of 200 names has half of that

_MAX_REPEATS = 100_000
"""The most characters that the counted repeats of a pattern may add up to.

llguidance takes 0.14 s for the first token of (a{300}){300}, and 3 s for (a{1000}){1000}.
"""

_PIECES = re.compile(
    r"""\\[pPxuU]\{[^}]*(?:\}|\Z)  # \p{L} and the like
    | \\.
    | \[\^?\]?(?:\\.|[^\]\\])*(?:\]|\Z)  # a class of characters
    | \{(?P<least>\d+)(?:,(?P<most>\d*))?\}
    | [?*+]  # repeats the piece before it too, but not by a count
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def check_constraints(request: Any) -> None:
    """Check the fields that constrain a completion.

    Raises:
        RefusedError: a field is too large or not offered, or a pattern repeats too much.
    """
    fields = request if isinstance(request, dict) else {}
    for name in _CONSTRAINTS:
        if name in fields and len(json.dumps(fields[name])) > _MAX_CONSTRAINT_LENGTH:
            text = f"{name} may have {_MAX_CONSTRAINT_LENGTH:,} characters of JSON"
            raise RefusedError(400, text, param=name, code="too_large")
        if "structural_tag" in _list_names(fields.get(name)):
            text = f"{name}: there are no structural tags here; send a JSON schema or a grammar"
            raise RefusedError(400, text, param=name, code="unsupported_parameter")
    constraint = fields.get("structured_outputs")
    pattern = constraint.get("regex") if isinstance(constraint, dict) else None
    if isinstance(pattern, str) and count_repeats(pattern) > _MAX_REPEATS:
        text = f"regex: its counted repeats add up to more than {_MAX_REPEATS:,} characters"
        raise RefusedError(400, text, param="structured_outputs", code="too_large")


def _list_names(field: Any) -> list[Any]:
    """Return the names in a field, and its type."""
    return [*field, field.get("type")] if isinstance(field, dict) else []


@dataclass(slots=True)
class _Group:
    """A group that is being read.

    Attributes:
        longest: The length of its longest alternative so far.
        length: The length of the current alternative, without its last piece.
        last: The length of the last piece, to which a repeat applies.
    """

    longest: int = 0
    length: int = 0
    last: int = 0

    def close(self) -> int:
        """Return the length of the longest alternative."""
        return max(self.longest, self.length + self.last)


def count_repeats(pattern: str) -> int:
    """Count the characters of the longest text that the counted repeats of a pattern make.

    The count is an upper bound, and the work is linear. A pattern in verbose mode, whose comments
    could hide parentheses from the count, has more than any limit.
    """
    if re.search(r"\(\?[a-zA-Z]*x", pattern):
        return _MAX_REPEATS + 1
    groups = [_Group()]
    for piece in _PIECES.finditer(pattern):
        group = groups[-1]
        if piece["least"]:
            times = max(_read_count(piece["least"]), _read_count(piece["most"] or "0"), 1)
            group.last = min(group.last * times, 10 * _MAX_REPEATS)
        elif piece[0] in "?*+":
            continue
        elif piece[0] == "|":
            groups[-1] = _Group(longest=group.close())
        elif piece[0] == "(":
            groups.append(_Group())
        elif piece[0] == ")" and len(groups) > 1:
            groups.pop()
            _add_piece(groups[-1], group.close())
        else:
            _add_piece(group, 1)
    return sum(group.close() for group in groups)


def _add_piece(group: _Group, length: int) -> None:
    group.length += group.last
    group.last = length


def _read_count(digits: str) -> int:
    # A number with more digits cannot be meant, and is slow to read.
    return int(digits[:8])
