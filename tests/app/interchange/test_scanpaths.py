"""GazeSearch and CT-ScanGaze: scan paths as JSON lists."""

import json

import pytest
from sqlalchemy import select

from migrations.study.schema import Fixation, Reader
from tests.app.interchange.gaze_files import imported

ENTRY = {"name": "P1.jpg", "subject": 1, "task": "edema", "X": [56, 112], "Y": [56, 112],
         "T": [0.25, 0.5], "length": 2, "split": "train"}  # fmt: skip


def _file(path, entries):
    path.write_text(json.dumps(entries))
    return path


def test_gazesearch_counts_on_a_grid_and_in_seconds(study, tmp_path, matcher) -> None:
    path = _file(tmp_path / "a.json", [ENTRY, ENTRY | {"task": "mass", "X": [28, 112]}])
    (report,) = imported(study, "gazesearch", [path], matcher)
    assert [r.fixations for r in report.readings] == [2, 2]
    with study.database.read() as session:
        found = session.scalars(select(Fixation).order_by(Fixation.id)).all()
        assert session.scalars(select(Reader.pseudonym)).one().startswith("IMP-")
    places = [(f.x_image, f.y_image, f.duration_us) for f in found][:2]
    assert places == [pytest.approx((30, 50, 250_000)), pytest.approx((60, 100, 500_000))]
    assert {"grid", "duration-unit"} <= {each.code for each in report.notes}


def test_a_slice_that_the_image_has_not_is_refused(study, tmp_path, matcher) -> None:
    flat = _file(tmp_path / "a.json", [ENTRY | {"Z": [0, 0]}])
    (report,) = imported(study, "ct-scangaze", [flat], matcher)
    assert report.readings[0].fixations == 2
    deep = _file(tmp_path / "b.json", [ENTRY | {"Z": [0, 7]}])
    (refused,) = imported(study, "ct-scangaze", [deep], matcher)
    assert "frame 7" in refused.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"a": 1}', "is not a list"),
        ('[{"name": "P1"}]', "entry 1: it needs"),
        ('[{"name": "P1", "X": [1], "Y": [1, 2], "T": [0.2]}]', "same length"),
    ],
    ids=["nested", "no list", "keys missing", "unequal"],
)
def test_other_json_is_refused_by_name(study, tmp_path, matcher, text, said) -> None:
    (tmp_path / "a.json").write_text(text)
    (report,) = imported(study, "gazesearch", [tmp_path / "a.json"], matcher)
    assert (report.status, said in report.reason) == ("refused", True)


def test_json_beyond_the_limit_is_refused(study, tmp_path, matcher, monkeypatch) -> None:
    monkeypatch.setattr("app.interchange.formats.scanpaths.MOST_BYTES", 10)
    monkeypatch.setattr("devices.gaze.foreign.MOST_JSON_BYTES", 10)
    path = _file(tmp_path / "a.json", [ENTRY])
    for name in ("gazesearch", "mcgip"):
        (report,) = imported(study, name, [path], matcher)
        assert "larger than" in report.reason


@pytest.mark.parametrize(("key", "values"), [("Z", [0, 0.5]), ("T", [0.25, float("nan")])])
def test_half_a_slice_and_no_duration_are_refused(study, tmp_path, matcher, key, values) -> None:
    path = _file(tmp_path / "a.json", [ENTRY | {"Z": [0, 0]} | {key: values}])
    (report,) = imported(study, "ct-scangaze", [path], matcher)
    assert f"{key} of a scan path must be" in report.reason
