"""Images hang as they come in: by the study's settings, by a csv, from the window too."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from app.demo.phantom_files import Encoding, dicom_file
from app.hanging import import_command
from app.hanging.arrivals import import_cases
from app.hanging.grouping import CHOICES
from app.pages.settings.fields import SECTIONS
from app.station import Station
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, StudyCase
from migrations.study.settings import SINGLE, StudySettings

VIEWS = ("L MLO", "R MLO", "L CC", "R CC")


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """Four mammograms of each of two patients."""
    files = []
    for number in range(8):
        files.append(tmp_path / f"f{number}.dcm")
        grey = np.random.default_rng(number).random((40, 30), np.float32)
        grey[0] = 0  # air
        patient = (f"FICT-{number // 4}", "Quill^Ada")
        dicom_file(
            files[-1], grey, Encoding(12, "MONOCHROME2", "explicit"), patient,
            VIEWS[number % 4], number + 1,
        )  # fmt: skip
    return files


def _study(folder: Path, hanging: str) -> Study:
    return Study.create(folder, StudySettings(name="S", hanging=hanging))


def _hung(study: Study) -> list[tuple[str, int]]:
    with study.database.read() as session:
        query = (
            select(StudyCase.hanging, func.count())
            .join(CaseImage, CaseImage.case_id == StudyCase.id)
            .group_by(StudyCase.id)
            .order_by(StudyCase.position)
        )
        return [(hanging, count) for hanging, count in session.execute(query)]


def test_the_settings_offer_every_hanging_there_is() -> None:
    fields = {f.name: f for section in SECTIONS.values() for f in section}
    offered = {value for value, _ in fields["hanging"].choices}
    assert offered == {SINGLE, *CHOICES}


@pytest.mark.parametrize(
    ("hanging", "words", "hung"),
    [
        ("auto", [], [("mammo", 4)] * 2),
        (SINGLE, [], [("one-up", 1)] * 8),
        (SINGLE, ["--hang", "two-up"], [("two-up", 4)] * 2),
        ("auto", ["--hang", SINGLE], [("one-up", 1)] * 8),
    ],
)
def test_the_command_hangs_as_the_study_says_unless_told(
    films, tmp_path: Path, hanging, words, hung
) -> None:
    study = _study(tmp_path / "study", hanging)
    study.close()
    assert import_command.main(["--study", str(tmp_path / "study"), *words, *map(str, films)]) == 0
    study = Study.open(tmp_path / "study")
    assert _hung(study) == hung
    study.close()


def test_what_came_in_before_a_stop_hangs(films, tmp_path: Path) -> None:
    study = _study(tmp_path / "study", "auto")
    imported = import_cases(study, films)
    for _ in range(5):
        next(imported)
    imported.close()
    assert _hung(study) == [("mammo", 4), ("one-up", 1)]
    study.close()


@pytest.fixture
def station(qtbot, tmp_path: Path, no_leftovers):
    station = Station(_study(tmp_path / "study", "auto"), full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    yield station
    station.close()


def _drop(qtbot, station: Station, paths: list[Path]) -> str:
    station.sitting.worklist.page.files_chosen.emit(paths)
    qtbot.waitUntil(lambda: not station.sitting.worklist.imports.running)
    return station.sitting.worklist.page.refused.text


def test_dropped_mammograms_become_one_case_a_patient(films, station, qtbot) -> None:
    assert "8 added" in _drop(qtbot, station, films)
    assert station.sitting.worklist.page.model.rowCount() == 2


def test_a_csv_dropped_with_images_says_labels_and_cases(films, station, qtbot, tmp_path) -> None:
    table = tmp_path / "who.csv"
    table.write_text("image,case,practice\nf0.dcm,A,yes\nf5.dcm,A,yes\n")
    assert "2 added." in _drop(qtbot, station, [films[0], table, films[5]])
    assert station.sitting.worklist.page.model.rowCount() == 1
    other = shutil.copy(table, tmp_path / "other.csv")
    assert "choose only one csv" in _drop(qtbot, station, [films[1], table, Path(other)])
    table.write_text("picture\nf1.dcm\n")
    assert "no column `image`" in _drop(qtbot, station, [films[1], table])


def test_the_row_of_a_double_does_not_move_an_image_into_another_case(films, tmp_path) -> None:
    for folder in ("A", "B"):
        (tmp_path / folder).mkdir()
        shutil.copy(films[0], tmp_path / folder / "IM0")
    table = tmp_path / "who.csv"
    table.write_text("image,case,practice\nA/IM0,one,\nB/IM0,two,yes\nf1.dcm,one,\nf2.dcm,two,\n")
    study = _study(tmp_path / "study", SINGLE)
    files = [tmp_path / "A/IM0", tmp_path / "B/IM0", films[1], films[2]]
    results = list(import_cases(study, files, labels=table))
    assert [result.status for result in results] == ["accepted", "known", "accepted", "accepted"]
    assert "different case" in results[1].reason
    with study.database.read() as session:
        hung = {link.image_id: link.case_id for link in session.scalars(select(CaseImage))}
        practice = session.scalars(select(StudyCase.practice)).all()
    study.close()
    first, _, second, third = (hung[str(result.image_id)] for result in results)
    assert first == second != third
    assert not any(practice)


def test_the_window_says_which_rows_of_a_csv_reached_no_image(
    films, station, qtbot, tmp_path
) -> None:
    table = tmp_path / "who.csv"
    table.write_text("image,label\nf0.dcm,mass\nold/f1.dcm,mass\nf9.dcm,mass\n")
    said = _drop(qtbot, station, [films[0], table, films[1]])
    assert "1 of 3 rows matched an image. Rows without a file: 2; files without a row: 1" in said
    assert "line 3: old/f1.dcm: row without a file" in said
    assert "line 4: f9.dcm: row without a file: no file has this path" in said
    assert len(station.sitting.worklist.imports.reconciliation.mismatches) == 3
