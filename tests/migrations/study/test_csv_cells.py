"""No cell of a csv is a formula; numbers stay numbers."""

import csv
import io

import pytest

from migrations.study.csv_cells import CsvWriter, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|calc!A0",
        "@SUM(1)",
        "+1+1",
        "-2+3",
        "  =1",
        "\t=1",
        "\r=1",
        "＝1",
        "-",
        "+nan_",
        "-1_0",
    ],
)
def test_a_text_that_begins_a_formula_is_marked_as_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-1.5", "+3", "-1e-7", "-inf", "R-02", "a=b", "", None, -4, 2.5])
def test_numbers_and_plain_text_stay_as_they_are(value: object) -> None:
    assert safe_cell(value) == value


def test_rows_by_name_keep_their_columns_and_refuse_others() -> None:
    file = io.StringIO()
    CsvWriter(file, end="\n").table(("a", "=b"), [{"=b": "@x", "a": 1}, {"a": "two, three"}])
    written = list(csv.reader(file.getvalue().splitlines()))
    assert written == [["a", "'=b"], ["1", "'@x"], ["two, three", ""]]
    with pytest.raises(ValueError, match="not columns: c"):
        CsvWriter(file).table(("a",), [{"c": 1}])
