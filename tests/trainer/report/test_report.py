import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from migrations.study.schema import Calibration, TrainingRun
from tests.trainer.gaze_study import StudyMaker
from trainer.data.cohort import load_cohort
from trainer.drawing.charts import Series, histogram, line_chart
from trainer.errors import ReportError
from trainer.report import write_report
from trainer.report.command import main
from trainer.report.gather import gather
from trainer.report.gaze_sections import matrix_order, top_pairs
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.store import store_run
from trainer.similarity.study_gaze import gaze_of_members, reader_names

_VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page: its tags must close in order; keeps its text and what it would fetch."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.sources: list[str] = []
        self.without_name: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open_tags == []

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        self.sources += [given[k] for k in ("src", "href", "xlink:href") if given.get(k)]
        pictured = tag == "img" or given.get("role") == "img"
        if pictured and not (given.get("alt") or given.get("aria-label")):
            self.without_name.append(tag)
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open_tags.pop()

    def handle_endtag(self, tag) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data if "style" not in self.open_tags[-1:] else ""


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def walk(seed: int, fixations: int = 6) -> np.ndarray:
    """Return 20 samples at each of some places."""
    rng = np.random.default_rng(seed)
    places = rng.uniform((40, 30), (360, 270), (fixations, 2))
    return np.clip(np.repeat(places, 20, axis=0) + rng.normal(0, 3, (fixations * 20, 2)), 1, 299)


def fill(maker: StudyMaker, images: int = 5) -> str:
    """Read some images, compare them, add a run with metrics; return the run's folder name."""
    for k in range(images):
        image = maker.image(label=("mass", "clear <b>")[k % 2])
        maker.read_once(
            image, walk(k), 1_000_000 + 10_000_000 * k, sample_count=120, missing_count=k,
            invalid_count=2, loss=k / 120, off_image=0.01, verdict="good" if k else "bad",
            verdict_reasons=[] if k else ["loss above 15 %"],
        )  # fmt: skip
    with maker.study.database.write() as session:
        session.add(
            Calibration(
                session_id=maker.session_id, kind="validation", status="ok", started_us=0,
                ended_us=1, points=[], accuracy_deg=0.47,
            )
        )  # fmt: skip
    cohort = load_cohort(maker.study)
    gaze = gaze_of_members(cohort.members, reader_names(maker.study))
    similarity = prepare("tima", gaze, {}, ComparisonControl(1)).matrix()
    ids = [m.image_id for m in cohort.members]
    run = store_run(
        maker.study, similarity, ids, cohort_fingerprint=cohort.fingerprint, threshold=0.9
    )
    folder = maker.study.runs / "20250101-byol"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"config": {"method": "byol", "lr": 0.001}}))
    same = {"event": "metrics", "steps": 40, "feature_spread": 0.7, "positives_per_anchor": 1.5}
    rows = [{**same, "step": s, "loss": 3.2 / (1 + s / 9)} for s in range(2, 41, 2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows) + '{"st')
    with maker.study.database.write() as session:
        session.add(
            TrainingRun(
                name="byol-gzpt", config={}, state="finished", cohort_fingerprint="",
                similarity_run_id=run, metrics_path=f"runs/{folder.name}/metrics.jsonl",
            )
        )  # fmt: skip
    return folder.name


def test_the_report_of_an_empty_study_says_what_is_missing(maker: StudyMaker) -> None:
    path = write_report(maker.study)
    text = Page(path).text
    assert path == maker.study.exports / "report.html"
    assert "For research, not for diagnosis." in text
    for said in ("No cases have been read yet", "No training", "has not been computed yet"):
        assert said in text


def test_images_without_readings_are_counted_and_said_to_be_unread(maker: StudyMaker) -> None:
    maker.image()
    text = Page(write_report(maker.study)).text
    assert "Images imported1" in text
    assert "The cohort has no readings with gaze on an image" in text


def test_the_report_shows_the_study_and_fetches_nothing(maker: StudyMaker, tmp_path: Path) -> None:
    name = fill(maker)
    page = Page(write_report(maker.study, [name], tmp_path / "out" / "r.html"))
    assert all(s.startswith(("data:image/", "#")) for s in page.sources)
    assert page.without_name == []
    assert "://" not in (tmp_path / "out" / "r.html").read_text(encoding="utf-8")
    assert sum(s.startswith("data:image/jpeg") for s in page.sources) == 4 * 2 + 2 * 2 + 2
    assert sum(s.startswith("data:image/png") for s in page.sources) == 2
    for said in (
        "rated bad: loss above 15 %", "R01", "0.47", "byol-gzpt", "config.method", "mass",
        "clear <b>", "6 fixations", "Positive rate", "damaged line of metrics.jsonl",
        load_cohort(maker.study).fingerprint,
    ):  # fmt: skip
        assert said in page.text, said


def test_a_missing_matrix_or_metrics_file_is_said_and_the_rest_is_shown(maker: StudyMaker) -> None:
    name = fill(maker)
    for file in (maker.study.cache / "similarity").iterdir():
        file.unlink()
    (maker.study.runs / name / "metrics.jsonl").unlink()
    (maker.study.runs / name / "config.json").unlink()
    text = Page(write_report(maker.study)).text
    assert "not a readable similarity matrix" in text
    assert "there are no metrics" in text
    assert "config.json cannot be read" in text
    assert "6 fixations" in text


def test_a_damaged_presentation_is_said_in_its_place(maker: StudyMaker) -> None:
    image = maker.image()
    maker.read_once(image, walk(0))
    maker.study.presentation(image).write_bytes(b"no image")
    assert "is damaged or not an image" in Page(write_report(maker.study)).text


def test_an_unknown_run_is_refused_with_those_there_are(maker: StudyMaker) -> None:
    name = fill(maker)
    with pytest.raises(ReportError, match=f"no run 'other'; there are: {name}"):
        write_report(maker.study, ["other"])


def test_the_command_writes_the_file_and_prints_its_path(
    maker: StudyMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = str(maker.study.folder), str(tmp_path / "r.html")
    assert main(["--study", folder, "--out", out]) == 0
    assert capsys.readouterr().out.strip() == out
    assert Page(Path(out)).text
    assert main(["--study", folder, "--runs", "none"]) == 1
    assert "no run 'none'" in capsys.readouterr().err
    for words in (["--study", str(tmp_path)], []):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2


def test_top_pairs_use_each_image_once_and_the_order_keeps_labels_together(
    maker: StudyMaker,
) -> None:
    fill(maker)
    found = gather(maker.study, None).similarity
    assert found is not None
    found.matrix[:] = 0.1
    found.valid[:] = True
    for i, j, value in ((0, 1, 0.9), (1, 2, 0.8), (2, 4, 0.7), (3, 4, 0.6)):
        found.matrix[i, j] = found.matrix[j, i] = value
    found.valid[0, 3] = found.valid[3, 0] = False
    assert top_pairs(found) == [(0, 1), (2, 4)]
    order = matrix_order(found, ["b", "a", "b", "a", None])
    assert sorted(order) == list(range(5))
    assert order[0] == 4
    assert set(order[1:3]) == {1, 3}


def test_charts_place_values_where_they_belong() -> None:
    chart = line_chart([Series("run", np.array([0.0, 10.0]), np.array([2.0, 1.0]))], "step", "loss")
    assert 'points="52.0,20.7 408.0,195.3"' in chart
    assert "run from 2 to 1" in chart
    assert line_chart([Series("run", np.array([1.0]), np.array([np.nan]))], "step", "loss") == ""
    bars = histogram(np.array([0.0, 0.0, 1.0]), 0.5, "similarity", bins=2)
    assert bars.count('class="bar"') == 2
    assert '<line class="mark" x1="230.0"' in bars
    assert histogram(np.empty(0), None, "similarity") == ""
    assert 'class="bar"' in histogram(np.array([1.0, 1.0]), 3.0, "similarity")
