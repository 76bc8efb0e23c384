"""Labels and splits edited in the cohort: who has them, what the audit keeps, what is refused."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.workspace.audit import audit_trail, write_audit
from app.workspace.cohort import cohort_rows
from app.workspace.cohort_edits import EditRefused, decide, tell_images
from migrations.study.answers import Answered
from migrations.study.folder import Study
from migrations.study.schema import Annotation, Audit, CaseImage, Image
from tests.app.workspace.cohort_study import make_study


@pytest.fixture
def study(tmp_path: Path):
    made = make_study(tmp_path / "study", 4, pictures=False)
    yield made
    made.close()


def _of(study: Study, place: int):
    """Return the row of the case that was made as the how-manieth; two follow one patient."""
    return sorted(cohort_rows(study), key=lambda row: row.case_id)[place]


def _join(study: Study) -> None:
    """Hang the second case's image beside the first's."""
    first, second = _of(study, 0), _of(study, 1)
    with study.database.write() as session:
        session.add(CaseImage(case_id=first.case_id, image_id=second.image_ids[0], tile=1))


def test_a_label_typed_over_is_the_images_and_the_audit_has_both(study) -> None:
    case = _of(study, 0).case_id
    edited = tell_images(study, case, "label", " spiculated ")
    assert (edited.images, edited.elsewhere) == (1, 0)
    assert _of(study, 0).labels == ("spiculated",)
    with study.database.read() as session:
        row = session.scalars(select(Audit).where(Audit.action == "label changed")).one()
    assert (row.details["from"], row.details["to"]) == ("normal", "spiculated")
    assert tell_images(study, case, "label", "spiculated").images == 0
    tell_images(study, case, "label", "")
    with study.database.read() as session:
        image = session.get_one(Image, row.subject)
        assert image.label is None
    assert _of(study, 0).labels == ("",)


def test_a_case_of_two_images_takes_a_word_each_or_one_for_both(study) -> None:
    _join(study)
    case = _of(study, 0).case_id
    tell_images(study, case, "label", "left; right")
    assert _of(study, 0).labels == ("left", "right")
    tell_images(study, case, "label", "both")
    assert _of(study, 0).labels == ("both", "both")
    with pytest.raises(EditRefused, match="2 images and 3 words"):
        tell_images(study, case, "label", "a; b; c")


def test_a_patient_goes_to_one_split_with_all_images(study) -> None:
    edited = tell_images(study, _of(study, 2).case_id, "split", "test")
    assert (edited.images, edited.elsewhere) == (2, 1)
    assert [_of(study, k).splits[0] for k in range(4)] == ["", "", "test", "test"]
    with pytest.raises(EditRefused, match="'holdout' is not a split"):
        tell_images(study, _of(study, 0).case_id, "split", "holdout")
    _join(study)
    with pytest.raises(EditRefused, match="one patient belong to one split"):
        tell_images(study, _of(study, 0).case_id, "split", "train; test")


def test_a_row_says_when_with_what_and_what_was_answered(study) -> None:
    row = _of(study, 1)
    with study.database.write() as session:
        for kind, said in (("class", "benign"), ("confidence", "80")):
            session.add(
                Annotation(reading_id=row.reading_id, kind=kind, label=said, time_us=1, details={},
                           image_id=row.image_ids[0])
            )  # fmt: skip
    row = _of(study, 1)
    assert row.answers == "benign; confidence: 80"
    assert row.started_utc == "2026-01-01T00:00:10.000000Z"
    assert (row.tracker, row.station, row.badge) == ("m", "s", "")


def test_several_chosen_answers_are_read_as_words() -> None:
    from app.workspace.cohort import answers_text

    given = [
        Answered("r", "answer", "single", "case", "mass", 1),
        Answered("r", "signs", "multiple", "case", '["edge", "shape"]', 2),
        Answered("r", "shape", "single", "mark", "round", 3, "m"),
    ]
    assert answers_text(given) == "mass; signs: edge, shape; shape: round"


def test_the_audit_trail_names_what_was_done_to_what_and_why(study, tmp_path: Path) -> None:
    row = _of(study, 0)
    decide(study, [row.reading_id], False, "looked away", person="AQ")
    with study.database.write() as session:
        session.add(Audit(station="s", action="image cleared", subject=row.image_ids[0],
                          details={"by": "P1", "count": 2}))  # fmt: skip
    cleared, dropped = audit_trail(study)[:2]
    assert (cleared.person, cleared.kind, cleared.details) == ("P1", "image", "count: 2")
    assert (dropped.action, dropped.kind, dropped.subject) == ("drop reading", "reading", row.name)
    assert (dropped.person, dropped.reason) == ("AQ", "looked away")
    write_audit([cleared, dropped], tmp_path / "audit.csv")
    lines = (tmp_path / "audit.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time_utc,person,station,action,subject,reason,details"
    assert "looked away" in lines[2]
