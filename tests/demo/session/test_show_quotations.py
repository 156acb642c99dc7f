from pathlib import Path

import pytest

from demo.session.show_quotations import ShowQuotations
from nothing_gpt.files import atomic_folder
from nothing_gpt.quotation import FILE, index_speeches
from nothing_gpt.show import load_show
from nothing_gpt.workspace import VARIABLE, Workspace

OLD, NEW = "It is ringing now, and it is for you.", "The pier is rather long today."


def test_quotations_follow_a_show_that_is_prepared_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    show, quotations = load_show("unclaimed"), ShowQuotations()
    found = [[quotations.contains(show, text) for text in (OLD, NEW)]]
    for text in (OLD, NEW):
        with atomic_folder(Workspace.default().data(show.name)) as folder:
            (folder / FILE).write_bytes(index_speeches([text]))
        found.append([quotations.contains(show, each) for each in (OLD, NEW)])
    assert found == [[False, False], [True, False], [False, True]]
