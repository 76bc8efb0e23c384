"""The progress page says what the rows say, and takes plans and sheets as the commands do."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from sqlalchemy import select

from app.pages.progress.controller import ProgressController
from app.ui.dialogs import ConfirmDialog
from app.ui.job import ChosenReader, JobContext, Notices
from migrations.study.arms import Arm
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.progress import Progress
from migrations.study.schema import StudyCase
from tests.app.recording.reading_doubles import make_study


class Window:
    """The progress page is shown."""

    current = "progress"


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", 2, arms=(Arm("one"), Arm("two")), assignment="csv")
    yield study
    study.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def job(qtbot, qapp, study: Study, said: list[str]) -> ProgressController:
    context = JobContext(
        qapp, Window(), Notices(qapp), ChosenReader(), "", lambda _page: None,
        lambda _title, error: said.append(str(error)), lambda: None, lambda: False,
        lambda _study: None,
    )  # fmt: skip
    job = ProgressController(context)
    qtbot.addWidget(job.page)
    job.open(study)
    return job


def test_a_plan_from_a_csv_is_shown_by_reader_and_arm(job, study, qtbot, tmp_path) -> None:
    with study.database.read() as rows:
        first, second = names_of(rows, "case").values()
    plan = tmp_path / "plan.csv"
    plan.write_text(
        f"reader,case,order,arm\nR2,{first},1,one\nR1,{first},1,one\nR1,{second},2,two\n"
    )
    job.take_plan(plan)
    qtbot.waitUntil(lambda: bool(job.page.model.rows))
    assert job.page.model.rows == [
        Progress("R1", "one", 1, 0), Progress("R1", "two", 1, 0), Progress("R2", "one", 1, 0),
    ]  # fmt: skip
    assert job.page.state_text == "3 readings were planned."
    job.refresh()
    qtbot.waitUntil(lambda: job.page.state_text == "2 readers: 0 of 3 readings done.")


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ((), "One reading was planned. But every reader still reads every case"),
        ((Arm("one"),), "One reading was planned. But every reader still reads every case"),
    ],
)
def test_a_plan_that_does_not_hold_says_so(job, qtbot, tmp_path, arms, words) -> None:
    other = make_study(tmp_path / "other", 2, arms=arms)
    with other.database.read() as rows:
        first = next(iter(names_of(rows, "case").values()))
    plan = tmp_path / "plan.csv"
    plan.write_text(f"reader;case;order;arm\nR1;{first};1;{'one' if arms else ''}\n")
    job.open(other)
    job.take_plan(plan)
    qtbot.waitUntil(lambda: job.page.state_text.startswith(words))
    job.close()
    other.close()


def test_a_plan_for_a_reader_whom_the_study_lacks_is_taken_when_that_is_confirmed(
    job, study, said, qtbot, tmp_path
) -> None:
    with study.database.read() as rows:
        first, _second = names_of(rows, "case").values()
    plan = tmp_path / "plan.csv"
    plan.write_text(f"reader,case,order,arm\nR1,{first},1,one\n")
    job.take_plan(plan)
    qtbot.waitUntil(lambda: bool(job.page.model.rows))
    plan.write_text(f"reader,case,order,arm\nR2,{first},1,one\n")
    job.take_plan(plan)
    qtbot.waitUntil(lambda: job.page.findChild(ConfirmDialog) is not None)
    dialog = job.page.findChild(ConfirmDialog)
    words = [each.text() for each in dialog.findChildren(QLabel)]
    assert "The study does not have this reader yet: R2. Add the reader?" in words
    dialog.findChild(QPushButton, "add_readers").click()
    qtbot.waitUntil(lambda: [row.reader for row in job.page.model.rows] == ["R1", "R2"])
    assert said == []


def test_sheets_come_in_or_are_refused_with_their_line(job, study, said, qtbot, tmp_path) -> None:
    with study.database.read() as rows:
        first, _second = names_of(rows, "case").values()
    sheets = tmp_path / "sheets.csv"
    sheets.write_text(f"case,sex\n{first},female\n")
    job.take_sheets(sheets)
    qtbot.waitUntil(lambda: job.page.state_text == "One case sheet was read.")
    sheets.write_text(f"case,sex\n{first},F\n")
    job.take_sheets(sheets)
    qtbot.waitUntil(lambda: bool(said))
    assert "line 2" in said[0]
    with study.database.read() as rows:
        kept = rows.scalars(select(StudyCase.sheet).where(StudyCase.sheet.is_not(None))).all()
    assert kept == [{"sex": "female"}]
