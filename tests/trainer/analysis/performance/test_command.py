"""`python main.py performance --ratings`: from a table to figures and files."""

import csv
import errno
import json
import os
import re
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import openpyxl
import pytest

from bench.reader_studies import made_study
from main import main
from migrations.study.incomplete import MARK
from trainer.analysis.performance import write
from trainer.analysis.performance.other_tools import each_rating
from trainer.analysis.performance.ratings import Rating, Ratings, ratings_of
from trainer.analysis.performance.ratings_file import read_ratings


@pytest.fixture
def study() -> Ratings:
    return made_study(np.random.default_rng(4), readers=3, each=10)


@pytest.fixture
def table(study: Ratings, tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    truth = dict(zip(study.cases, study.truth, strict=True))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Case", "reader", "truth", "treatment", "site", "rating"])
        for arm, reader, case, rating in each_rating(study):
            writer.writerow([case, reader, int(truth[case]), arm, "x", rating])
    return path


def test_a_table_becomes_figures_and_files(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"

    assert main(["performance", "--ratings", str(table), "--out", str(out)]) == 0

    found = json.loads((out / "performance.json").read_text())
    assert {"auc", "F", "ddf", "p", "difference", "low", "high", "analyses"} <= set(found)
    assert found["auc"][0] - found["auc"][1] == pytest.approx(found["difference"])
    assert {(row["covariance"], row["random"]) for row in found["analyses"]} == {
        (c, r)
        for c in ("jackknife", "delong", "unbiased", "bootstrap")
        for r in ("both", "readers", "cases")
    }


def test_random_chooses_the_headline(table: Path, tmp_path: Path) -> None:
    main(["performance", "--ratings", str(table), "--random", "readers", "--out", str(tmp_path)])

    found = json.loads((tmp_path / "performance.json").read_text())
    row = next(
        r for r in found["analyses"] if (r["covariance"], r["random"]) == ("jackknife", "readers")
    )
    assert (found["F"], found["ddf"]) == (row["F"], row["ddf"])


def test_arms_are_sorted_as_numbers_where_all_are() -> None:
    rows = [Rating("r", arm, f"{arm}{t}", t, 1.0) for arm in ("10", "9") for t in (True, False)]

    assert ratings_of(rows).arms == ("9", "10")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("1,1,a,2,3", "truth is '2'"),
        ("1,1,a,1,high", "rating is 'high'"),
        ("1,1,a,1,nan", "rating is 'nan'"),
        ("1,,a,1,3", "treatment is empty"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(
    line: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"reader,treatment,case,truth,rating\n1,1,b,0,1\n{line}\n")

    assert main(["performance", "--ratings", str(path)]) == 1
    error = capsys.readouterr().err
    assert word in error
    assert "line 3" in error


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (["1,1,a,1,3", "1,1,a,1,4"], "rated case a twice"),
        (["1,1,a,1,3", "2,1,a,0,4"], "positive in one row"),
        (["1,1,a,1,3"], "no rating of a negative case"),
        ([], "no ratings"),
    ],
)
def test_ratings_that_contradict_each_other_are_refused(
    rows: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("\n".join(["reader,treatment,case,truth,rating", *rows]) + "\n")

    assert main(["performance", "--ratings", str(path)]) == 1
    assert word in capsys.readouterr().err


def test_a_missing_file_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["performance", "--ratings", str(tmp_path / "none.csv")])
    assert stop.value.code == 2


def test_the_layout_of_imrmc_reads_back(table: Path, tmp_path: Path) -> None:
    main(["performance", "--ratings", str(table), "--out", str(tmp_path)])
    head, _, body = (tmp_path / "ratings.imrmc").read_text().partition("BEGIN DATA:\n")

    truth, rows = {}, []
    for reader, case, arm, value in csv.reader(body.splitlines()):
        if reader == "-1":
            truth[case] = value == "1"
        else:
            rows.append(Rating(reader, arm, case, truth[case], float(value)))

    read, expected = ratings_of(rows), read_ratings(table)
    assert "N0:10\nN1:10\nNR:3\nNM:2\n" in head
    assert np.allclose(
        read.rating, expected.rating[:, :, [expected.cases.index(c) for c in read.cases]]
    )


def test_the_workbook_of_rjafroc_reads_back(table: Path, tmp_path: Path) -> None:
    main(["performance", "--ratings", str(table), "--out", str(tmp_path)])
    book = openpyxl.load_workbook(tmp_path / "rjafroc.xlsx")

    truth = {row[0]: row[1] == 1 for row in book["TRUTH"].iter_rows(min_row=2, values_only=True)}
    rows = [
        Rating(reader, arm, str(case), truth[case], float(value))
        for sheet in ("FP", "TP")
        for reader, arm, case, *_, value in book[sheet].iter_rows(min_row=2, values_only=True)
    ]

    expected = read_ratings(table)
    order = [int(case) - 1 for case in ratings_of(rows).cases]
    assert np.allclose(ratings_of(rows).rating, expected.rating[:, :, order])
    assert book["TRUTH"]["F2"].value == "ROC"
    assert book["TRUTH"]["F3"].value == "FCTRL"


def written(tmp_path: Path, readers: list[str], each: int = 4) -> Path:
    path = tmp_path / "names.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reader", "treatment", "case", "truth", "rating"])
        for place, reader in enumerate(readers):
            for arm in ("1", "2"):
                for k in range(2 * each):
                    writer.writerow([reader, arm, f"c{k}", k % 2, (k * 7 + place + int(arm)) % 5])
    return path


def test_names_are_shown_as_they_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, ["R[red]", "[/b]", ":+1:"])

    assert main(["performance", "--ratings", str(path)]) == 0

    shown = capsys.readouterr().out
    assert all(name in shown for name in ("R[red]", "[/b]", ":+1:"))


def test_no_name_is_a_formula_in_the_workbook(tmp_path: Path) -> None:
    path = written(tmp_path, ["=1+1", "B"])

    main(["performance", "--ratings", str(path), "--out", str(tmp_path / "out")])

    book = openpyxl.load_workbook(tmp_path / "out" / "rjafroc.xlsx")
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}
    assert book["FP"]["A2"].value == "=1+1"


def test_a_name_that_a_layout_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("A,x", "A\x01"):
        path, out = written(tmp_path, [name, "B"]), tmp_path / "out"
        assert main(["performance", "--ratings", str(path), "--out", str(out)]) == 1
        assert "control character" in capsys.readouterr().err
        assert not list(out.iterdir())


def test_one_case_of_a_class_says_nothing_of_how_such_cases_vary(tmp_path: Path) -> None:
    path = written(tmp_path, ["A", "B"], each=1)

    main(["performance", "--ratings", str(path), "--out", str(tmp_path / "out")])

    found = json.loads((tmp_path / "out" / "performance.json").read_text())
    assert "two cases of each class" in found["not_compared"]
    assert found["analyses"] == []


def test_arms_without_any_difference_are_said_not_to_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "same.csv"
    rows = [f"{r},{a},c{k},{k % 2},{k % 2}" for r in "AB" for a in "12" for k in range(6)]
    path.write_text("\n".join(["reader,treatment,case,truth,rating", *rows]))

    assert main(["performance", "--ratings", str(path)]) == 0
    assert "Not compared" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "other", "named"),
    [
        (1, "0{}", "Readers"),
        (1, "{}.0", "Readers"),
        (3, "arm-{}", "Treatments"),
        (0, "C{}", "Cases"),
    ],
)
def test_a_name_written_in_two_ways_does_not_count_as_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int, other: str, named: str
) -> None:
    lines = ["case,reader,truth,treatment,rating"]
    for k in range(8):
        for reader in (1, 2):
            cells = [f"c{k}", str(reader), str(k % 2), "Arm-A", str(k)]
            if k > 3:
                cells[place] = other.format({0: k - 4, 1: reader, 3: "a"}[place])
            lines.append(",".join(cells))
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines))

    assert main(["performance", "--ratings", str(path)]) == 1

    said = capsys.readouterr().err
    assert f'{named} "' in said
    assert "only in spelling" in said


def test_a_rating_with_an_underscore_is_not_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A,1,c{k},{k % 2},{k}" for k in range(6)]
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(["reader,treatment,case,truth,rating", *rows, "A,1,c9,1,1_0"]))

    assert main(["performance", "--ratings", str(path)]) == 1
    assert "line 8: rating is '1_0'; it must be a number." in capsys.readouterr().err


def test_a_folder_whose_writing_is_stopped_is_marked_until_it_is_whole(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    out = tmp_path / "out"
    words = ["performance", "--ratings", str(table), "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(write, "write_figures", Mock(side_effect=KeyboardInterrupt))
        assert main(words) == 3
    assert (out / MARK).is_file()
    assert f"Stopped. {out} is not complete; run the command again" in capsys.readouterr().err
    assert main(words) == 0
    assert not (out / MARK).exists()


def test_a_full_disk_is_named_with_the_folder(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(write, "write_figures", Mock(side_effect=full))
    assert main(["performance", "--ratings", str(table), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert re.search(rf"The disk \S* is full: {re.escape(str(tmp_path / 'out'))} cannot", told)
