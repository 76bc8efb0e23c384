"""A row of labels means the file whose path it ends, and never one of another folder."""

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ImportRefused, LabelsError
from app.images.importing.label_matching import match_labels
from app.images.importing.label_text import decoded_text
from app.images.importing.labels import LabelLine, LabelRow, LabelTable, path_parts, read_labels
from app.images.importing.reconciliation import reconcile

ROOT = ("", "data", "cohort")
PATIENTS = st.sampled_from(["P1", "P2", "Zoé", "zoé"])
SERIES = st.sampled_from(["s1", "s2", "P1"])
FORMS: st.SearchStrategy[Literal["NFC", "NFD"]] = st.sampled_from(("NFC", "NFD"))
NAMES = st.sampled_from(["1-1.dcm", "1-2.dcm", "IM0"])


@st.composite
def paths(draw: st.DrawFn) -> tuple[str, ...]:
    """Return a path below the root, at any depth."""
    return (*draw(st.lists(st.one_of(PATIENTS, SERIES), max_size=3)), draw(NAMES))


def written(data: st.DataObject, parts: tuple[str, ...]) -> str:
    """Return a path as some program writes it: with either slash, in either Unicode form."""
    slash, form = data.draw(st.sampled_from("/\\")), data.draw(FORMS)
    return unicodedata.normalize(form, slash.join(parts))


def table(*images: str) -> LabelTable:
    """Return a csv each of whose rows tells its own path as the label."""
    lines = {
        path_parts(i): LabelLine(n, i, path_parts(i), LabelRow(i)) for n, i in enumerate(images)
    }
    return LabelTable(Path("labels.csv"), "UTF-8", tuple(lines.values()))


@given(st.data())
def test_no_row_reaches_a_file_of_another_owner(data: st.DataObject) -> None:
    """Any folder tree, any tail that is one file's in the whole tree, any part of it imported."""
    tree = data.draw(st.lists(paths(), min_size=1, max_size=8, unique=True))
    whole = [(*ROOT, *path) for path in tree]
    owners: dict[tuple[str, ...], tuple[str, ...]] = {}
    rows = []
    for path in data.draw(st.lists(st.sampled_from(whole), max_size=8)):
        tail = path[data.draw(st.integers(0, len(path) - 1)) :]
        if sum(other[-len(tail) :] == tail for other in whole) == 1:
            owners[tail] = path
            rows.append(written(data, tail))
    imported = data.draw(st.lists(st.sampled_from(whole), unique=True))
    files = {Path(written_file(data, path)): path for path in imported}
    matches = match_labels(table(*rows), files)
    for file, path in files.items():
        label = matches.row(file).label
        fitting = [tail for tail, owner in owners.items() if owner == path]
        assert (label is None) == (not fitting)
        if label is not None:  # the longest of its own rows speaks
            assert path_parts(label) == max(fitting, key=len)


@given(st.data())
def test_a_row_that_may_mean_two_files_speaks_for_neither(data: st.DataObject) -> None:
    """Any rows, any files: what reaches a file ends its path, and no other file's."""
    whole = [(*ROOT, *path) for path in data.draw(st.lists(paths(), max_size=8, unique=True))]
    rows = ["/".join(path) for path in data.draw(st.lists(paths(), max_size=6))]
    files = {Path("/".join(path)): path for path in whole}
    matches = match_labels(table(*rows), files)
    for file, path in files.items():
        fitting = [tail for tail in map(path_parts, rows) if path[-len(tail) :] == tail]
        longest = max(fitting, key=len, default=())
        several = longest and sum(other[-len(longest) :] == longest for other in whole) > 1
        if several:
            with pytest.raises(ImportRefused, match="may mean"):
                matches.row(file)
        else:
            assert matches.row(file).label == ("/".join(longest) or None)


def written_file(data: st.DataObject, parts: tuple[str, ...]) -> str:
    """Return a path as a disk gives it, in either Unicode form."""
    return unicodedata.normalize(data.draw(FORMS), "/".join(parts))


def test_an_ambiguous_row_names_both_files() -> None:
    one, other = Path("/cd/P1/1-1.dcm"), Path("/cd/P2/1-1.dcm")
    matches = match_labels(table("1-1.dcm"), [one, other])
    for path in (one, other):
        with pytest.raises(ImportRefused) as refused:
            matches.row(path)
        assert str(one) in str(refused.value)
        assert str(other) in str(refused.value)


def test_a_longer_row_takes_its_file_out_of_an_ambiguous_one() -> None:
    one, other = Path("/cd/P1/1-1.dcm"), Path("/cd/P2/1-1.dcm")
    matches = match_labels(table("1-1.dcm", "P1/1-1.dcm", "cd/P1/1-1.dcm"), [one, other])
    assert matches.row(one).label == "cd/P1/1-1.dcm"
    with pytest.raises(ImportRefused):
        matches.row(other)


def test_an_absolute_path_means_its_one_file() -> None:
    one, other = Path("/cd/1-1.dcm"), Path("/copy/cd/1-1.dcm")
    matches = match_labels(table("/cd/1-1.dcm"), [one, other])
    assert matches.row(one).label == "/cd/1-1.dcm"
    assert matches.row(other) == LabelRow()


def test_a_file_named_twice_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = [Path("P1/1-1.dcm"), tmp_path / "P1/1-1.dcm"]
    matches = match_labels(table("1-1.dcm"), files)
    assert [matches.row(path).label for path in files] == ["1-1.dcm"] * 2


@pytest.mark.parametrize(
    ("encoding", "form", "called"),
    [
        ("utf-8", "NFC", "UTF-8"),
        ("utf-8", "NFD", "UTF-8"),
        ("utf-8-sig", "NFD", "UTF-8"),
        ("utf-16", "NFD", "UTF-16"),
        ("utf-16-le", "NFC", "UTF-16"),
        ("utf-16-be", "NFC", "UTF-16"),
        ("latin-1", "NFC", "Windows-1252"),
    ],
)
def test_a_csv_of_excel_is_read_in_every_encoding_it_writes(
    tmp_path: Path, encoding: str, form: Literal["NFC", "NFD"], called: str
) -> None:
    text = unicodedata.normalize(form, "image;label\r\nZoé/1.dcm;bénin\r\n;\r\n")
    (tmp_path / "l.csv").write_bytes(text.encode(encoding))
    read = read_labels(tmp_path / "l.csv")
    assert read.encoding == called
    (line,) = read.lines
    assert (line.parts, line.row.label) == (("Zoé", "1.dcm"), "bénin")
    file = Path(unicodedata.normalize("NFD", "/cd/Zoé/1.dcm"))
    assert match_labels(read, [file]).row(file).label == "bénin"


def test_a_byte_that_windows_does_not_know_is_latin() -> None:
    assert decoded_text(b"\x81\xe9") == ("\x81é", "Latin-1")


def test_excels_own_line_on_the_separator_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text('sep=|\nimage|label\n"a\nb.dcm"|x\nc.dcm|y\n')
    lines = read_labels(tmp_path / "l.csv").lines
    assert [(line.number, line.row.label) for line in lines] == [(4, "x"), (5, "y")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,label,patient\na.png,mass, left,P1\n", "line 2: this line has 1 cells too many"),
        ("image,label,Label\na.png,benign,malignant\n", "two columns `label`"),
        ('image,label\na.png,"benign\nb.png,malignant\n', "quotation mark missing"),
        ('image,patient\na.png,"P1\nb.png,P2"\n', "spans several lines"),
        ("image,prior\na.png,previous\n", "prior is 'previous'; it must be yes or no"),
    ],
)
def test_a_csv_whose_cells_slip_stops_the_import(tmp_path: Path, text: str, said: str) -> None:
    """Else a word of the label becomes the patient, or lines vanish in one cell."""
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(LabelsError, match=said):
        read_labels(path)


def test_empty_cells_behind_the_last_column_are_no_cells(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("image,label\na.png,benign,,\n")
    assert read_labels(path).lines[0].row.label == "benign"


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("image,labels,Patient ID\na.png,benign,P1\n")
    found = reconcile(match_labels(path, [tmp_path / "a.png"]), [])
    assert found.summary.endswith("Columns not read: labels, patient id.")
    assert found.as_dict()["columns_not_read"] == ["labels", "patient id"]
