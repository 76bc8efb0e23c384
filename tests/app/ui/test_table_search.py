"""What is typed into a table's search line finds the rows it says."""

from dataclasses import dataclass

import pytest

from app.ui.table_search import Searched, search, term_of


@dataclass(frozen=True)
class _Row:
    name: str
    reader: str
    lost: float | None


_ROWS = (
    _Row("AAAAAA", "R1", 5.0),
    _Row("BBBBBB", "R2", 12.5),
    _Row("CCCCCC", "R12", None),
    _Row("DDDDDD", "", 40.0),
)
_COLUMNS = {
    "Case": Searched(lambda r: r.name),
    "Read by": Searched(lambda r: r.reader),
    "Lost": Searched(lambda r: "–" if r.lost is None else f"{r.lost:.0f} %", lambda r: r.lost),
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", "ABCD", id="nothing typed shows all"),
        pytest.param("r1", "AC", id="a word is found in any column"),
        pytest.param("r1 ccc", "C", id="all words must be there"),
        pytest.param("-r1", "BD", id="a minus leaves out"),
        pytest.param("readby:R1", "AC", id="a column alone is asked"),
        pytest.param(term_of("Read by", "R1"), "A", id="exactly these words"),
        pytest.param(term_of("Read by", ""), "D", id="empty cells"),
        pytest.param("lost>10", "BD", id="a number above"),
        pytest.param("lost<12.5%", "A", id="a number below, not at it, and none unknown"),
        pytest.param("lost>10 -readby:R2", "D", id="both"),
        pytest.param("case>BZ", "CD", id="words are compared where there are no numbers"),
        pytest.param("lost >= 12.5", "BD", id="at a number or above, with spaces"),
        pytest.param("lost<=12,5 %", "AB", id="at a number or below, with a unit apart"),
        pytest.param("lost>much", "", id="what is no number is neither above nor below one"),
        pytest.param("lost<much", "", id="nor is every number below a word"),
        pytest.param("readby>=R1", "ABC", id="what begins so is at it"),
        pytest.param("readby<Z", "ABC", id="an empty cell is not below anything"),
        pytest.param("case: bbb", "B", id="a space behind the colon"),
        pytest.param("colour : red", "", id="an unknown column, as it is typed"),
        pytest.param('"12 %"', "B", id="words in quotes stand together"),
        pytest.param("colour:red", "", id="an unknown column is a word"),
    ],
)
def test_a_search_finds(query: str, found: str) -> None:
    passes = search(query, _COLUMNS)
    assert "".join(row.name[0] for row in _ROWS if passes(row)) == found
