"""Tables of a spreadsheet: what they say comes through whole, or is refused by its line."""

from pathlib import Path

import pytest

from trainer.data.csv_table import CsvTable
from trainer.errors import ImageFolderError


def rows(tmp_path: Path, content: bytes) -> list[dict[str, str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    return [row for _, row in CsvTable(path, ImageFolderError).rows()]


@pytest.mark.parametrize("separator", [b",", b";", b"\t"])
def test_separator_byte_order_mark_case_and_blanks_make_no_difference(
    tmp_path: Path, separator: bytes
) -> None:
    content = separator.join([b"\xef\xbb\xbfImage ", b" LABEL"]) + b"\r\n"
    content += separator.join([b" a ", b"b"]) + b"\r\n\r\n"

    assert rows(tmp_path, content) == [{"image": "a", "label": "b"}]


def test_a_short_line_has_empty_cells(tmp_path: Path) -> None:
    assert rows(tmp_path, b"a,b,c\n1\n") == [{"a": "1", "b": "", "c": ""}]


def test_a_decimal_comma_that_splits_a_cell_is_refused_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="line 3 has 3 cells, but the first line has 2"):
        rows(tmp_path, b"case,rating\na,1\nb,3,5\n")


def test_empty_cells_beyond_the_last_column_are_what_spreadsheets_leave(tmp_path: Path) -> None:
    assert rows(tmp_path, b"a,b\n1,2,,\n") == [{"a": "1", "b": "2"}]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="the column 'label' twice"):
        rows(tmp_path, b"image,Label,label\na,b,c\n")


def test_what_is_no_text_is_refused_by_the_callers_own_error(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="not UTF-8"):
        rows(tmp_path, "Größe\n".encode("latin-1"))
    with pytest.raises(ImageFolderError, match="cannot be read"):
        CsvTable(tmp_path / "none.csv", ImageFolderError)
