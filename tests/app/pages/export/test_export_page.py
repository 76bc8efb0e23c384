"""Export in the window: every format the commands have, how far it is, Stop."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from app.interchange.exports.command import FORMATS as OF_THE_COMMAND
from app.pages.export.controller import ExportController
from app.pages.export.page import ExportPage
from app.workspace.export_formats import ENCODER, FORMATS, MEASURES
from app.workspace.measures import MEASURES as WORDS
from app.workspace.runs import runs
from tests.app.pages.probe.test_probe_page import context, study
from trainer.similarity.names import AUTO, AUTO_TITLE
from trainer.similarity.registry import MEASURES as OF_THE_TRAINER

__all__ = ["study"]


@pytest.fixture
def job(qtbot, study):
    parent = QObject()
    made = ExportController(context(parent))
    qtbot.addWidget(made.page)
    made.open(study)
    made.page.show_study(study.exports, runs(study))
    yield made
    made.close()
    parent.deleteLater()


def test_every_format_of_the_command_is_offered_and_every_measure_is_the_trainers() -> None:
    assert {one.name for one in FORMATS} == {*OF_THE_COMMAND, ENCODER}
    assert set(MEASURES) - {""} <= set(OF_THE_TRAINER)
    titles = {name: measure.title for name, measure in OF_THE_TRAINER.items()}
    assert {**titles, AUTO: AUTO_TITLE} == WORDS


def test_a_data_set_to_publish_waits_for_a_licence_which_reaches_the_command(qtbot, job) -> None:
    page, asked = job.page, []
    page.formats["dataset"].click()
    assert not page.start.isEnabled()
    assert "Choose a licence" in page.start.toolTip()
    page.licence.setCurrentIndex(page.licence.findData("CC-BY-NC-4.0"))
    page.with_images.setChecked(True)
    job.side.start = lambda words, *_: asked.append(words)
    page.start.click()
    assert asked[0][-3:] == ["--licence", "CC-BY-NC-4.0", "--with-images"]
    page.formats["csv"].click()
    assert page.start.isEnabled()
    assert not page.licence.isEnabled()
    page.start.click()
    assert "--licence" not in asked[1]


def test_an_export_says_what_it_wrote_and_the_next_goes_elsewhere(qtbot, job, study) -> None:
    script = "import os, sys; os.makedirs(sys.argv[6]); print('24 readings, 9 files')"
    job.side.program = [sys.executable, "-c", script]
    page = job.page
    page.formats["features"].click()
    assert page.run.isEnabled()
    page.formats["csv"].click()
    assert not page.run.isEnabled()
    assert page.place.text() == str(study.exports / "csv")
    page.start.click()
    qtbot.waitUntil(lambda: page.written is not None)
    assert page.state_text == "✓ 24 readings, 9 files"
    assert page.place.text() == str(study.exports / "csv-2")


def test_choices_reach_the_command() -> None:
    features = next(one for one in FORMATS if one.name == "features")
    words = features.words(Path("s"), Path("o"), encoder="run-1", measure="tima")
    assert words == ["export", "features", "--study", "s", "--out", "o", "--events", "json",
                     "--encoder", "run-1"]  # fmt: skip


def test_an_encoder_is_copied_with_what_belongs_to_it(qtbot, job, study) -> None:
    page = job.page
    (study.runs / "plain" / "README.md").write_text("card")
    page.formats[ENCODER].click()
    page.start.click()
    qtbot.waitUntil(lambda: page.written is not None)
    out = study.exports / "encoder"
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "encoder.safetensors"]
    page.place.setText(str(out))
    page.start.click()
    qtbot.waitUntil(lambda: "not empty" in page.state_text)


def test_nothing_is_exported_before_the_study_is_read(qtbot) -> None:
    page = ExportPage()  # its folder would be the one the program was started in
    qtbot.addWidget(page)
    assert not page.start.isEnabled()
