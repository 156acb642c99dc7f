import pytest

from data_prep.sources.source_files import SourceFile
from data_prep.sources.tables.csv_rows import open_csv
from data_prep.sources.tables.row import Row
from nothing_gpt.errors import UserError
from tests.data_prep.samples import COLUMNS


def read(text: str) -> list[Row]:
    file = SourceFile("lines.csv", text.encode())
    table = open_csv(file, lambda header: len({*COLUMNS}.intersection(header)))
    return list(table.read([2]))


OPEN = ['ANN,"a opens a quote,E1', "BOB,b,E1", "ANN,c,E1", 'BOB,"d closes it",E1']


@pytest.mark.parametrize(
    "rows", [OPEN, [*OPEN[:3], "BOB,d,E1"], [OPEN[0], OPEN[1], OPEN[3]]], ids=str
)
def test_a_quote_that_swallows_rows_is_found(rows: list[str]) -> None:
    text = "\n".join(["Who,What,Episode", "ANN,z,E1", *rows])
    with pytest.raises(UserError, match=r"lines\.csv: line 3: a quote that is opened there"):
        read(text)


def test_a_quote_that_swallows_a_whole_file_is_found() -> None:
    text = 'Who,What,Episode\nANN,"a,E1\n' + "BOB,b,E2\n" * 300
    with pytest.raises(UserError, match=r"line 2: a quote .* the lines up to 302"):
        read(text)


def test_cells_of_several_lines_are_as_good_as_others() -> None:
    text = (
        'Who,What,Episode\nANN,"Well, yes,\nand, so, E1\n\nno.",E1\nBOB,"He said ""no"", E1",E1\n'
    )
    assert [row.cells[1] for row in read(text)] == [
        "Well, yes,\nand, so, E1\n\nno.", 'He said "no", E1',
    ]  # fmt: skip
