"""What the report says of probes, neighbours, the cohort's flow, methods; shared; as files."""

import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from migrations.study.schema import StudyCase, TrainingRun
from tests.trainer.gaze_study import StudyMaker
from tests.trainer.probe.radiographs import save_encoder
from tests.trainer.report.test_report import Page, fill, walk
from trainer.drawing.charts import Interval, interval_chart
from trainer.report import write_report
from trainer.report.cohort_sections import cohort_section
from trainer.report.command import main
from trainer.report.flow import image_steps, reading_steps
from trainer.report.gather import gather
from trainer.report.neighbour_sections import nearest_of_others
from trainer.report.pair_sections import drawn_pairs


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def add_run(maker: StudyMaker, name: str, pairs: str, seed: int) -> None:
    """Add a finished run with an encoder."""
    folder = maker.study.runs / name
    config = {"config": {"method": "byol", "pairs": pairs, "measure": "tima", "batch": 32}}
    save_encoder(folder / "encoder.safetensors", seed)
    (folder / "config.json").write_text(json.dumps({**config, "config_hash": "c0ffee"}))
    (folder / "metrics.jsonl").write_text('{"step": 1, "steps": 1, "loss": 1.5}\n')
    with maker.study.database.write() as session:
        session.add(
            TrainingRun(
                name=name, config={}, state="finished", cohort_fingerprint="", details={},
                metrics_path=f"runs/{name}/metrics.jsonl",
                encoder_path=f"runs/{name}/encoder.safetensors",
            )
        )  # fmt: skip


def add_probe(maker: StudyMaker) -> None:
    """Write results as the probe does."""
    folder = maker.study.exports / "probe"
    folder.mkdir(parents=True)
    rows = [
        {"encoder": name, "probe": "linear", "budget": budget, "metric": "auc", "mean": mean,
         "low": mean - 0.05, "high": mean + 0.05, "repeats": 10}
        for name, mean in (("gaze", 0.812), ("untrained", 0.634))
        for budget in (10, "all")
    ]  # fmt: skip
    rows[0]["transductive"] = True
    rows[1]["transductive"] = True
    (folder / "probe.json").write_text(json.dumps(rows))
    difference = {"encoder": "gaze", "other": "untrained", "probe": "linear", "budget": 10,
                  "metric": "auc", "difference": 0.178, "low": 0.1, "high": 0.2, "p": 0.00002,
                  "p_holm": 0.00004, "test": "corrected resampled t", "repeats": 10}  # fmt: skip
    (folder / "comparisons.json").write_text(json.dumps([difference]))
    about = {"images": 99, "patients": 44, "classes": ["a", "b"], "notes": ["A note."],
             "splits": {"origin": "30% tested", "train": 70, "test": 29, "sha256": "feed" * 16},
             "labels_sha256": "beef" * 16, "settings": {"seed": 7},
             "encoders": [{"name": "gaze", "saw_test_images": "3 of 29", "size": 128}]}  # fmt: skip
    (folder / "about.json").write_text(json.dumps(about))


def test_probes_are_shown_with_intervals_and_what_was_seen(maker: StudyMaker) -> None:
    add_probe(maker)
    text = Page(write_report(maker.study)).text
    for said in (
        "0.81 [0.76, 0.86]", "gaze (transductive)", "+0.18 [+0.10, +0.20]", "< 0.001",
        "Test images used in pre-training: gaze: 3 of 29", "A note.", "99 labelled images",
    ):  # fmt: skip
        assert said in text, said


def test_results_that_cannot_be_read_are_said(maker: StudyMaker) -> None:
    add_probe(maker)
    (maker.study.exports / "probe" / "probe.json").write_text("{")
    assert "the results cannot be read" in Page(write_report(maker.study)).text


@pytest.mark.usefixtures("tiny_encoder")
def test_neighbours_with_and_without_gaze_stand_side_by_side(maker: StudyMaker) -> None:
    fill(maker, 6)
    add_run(maker, "gaze", "gzpt", 1)
    assert "All runs are of the same kind" in Page(write_report(maker.study)).text
    add_run(maker, "plain", "none", 2)
    text = Page(write_report(maker.study)).text
    assert "All runs are of the same kind" not in text
    assert "same label among 5 nearest" in text
    assert text.count("(query)") == 2 * 4


def test_neighbours_are_of_other_patients_and_the_nearest_first() -> None:
    features = np.array([[1.0, 0.0], [1.0, 0.1], [0.9, 0.3], [-1.0, 0.2], [-1.0, 0.0]])
    nearest = nearest_of_others(features, np.array([0, 0, 1, 2, 3]), 2)
    assert nearest[0].tolist()[0] == 2
    assert nearest[3].tolist()[0] == 4
    assert 1 not in nearest[0]


def test_the_flow_accounts_for_every_image_and_reading(maker: StudyMaker) -> None:
    fill(maker, 5)  # the first reading is rated bad
    maker.read_once(maker.image(), walk(9), 90_000_000, state="abandoned")
    maker.image()
    maker.image(png=False)
    data = gather(maker.study, None)
    images, readings = image_steps(data), reading_steps(data)
    assert [(s.count, sum(n for n, _ in s.left_out)) for s in images] == [(8, 0), (7, 1), (4, 3)]
    assert [s.count for s in readings] == [6, 5, 4]
    assert readings[2].left_out == ((1, "rated bad: loss above 15 %"),)
    for earlier, later in ((0, 1), (1, 2)):
        for steps in (images, readings):
            gone = sum(n for n, _ in steps[later].left_out)
            assert steps[earlier].count - gone == steps[later].count


def test_the_methods_hold_settings_versions_and_hashes(maker: StudyMaker) -> None:
    fill(maker)
    add_run(maker, "gaze", "gzpt", 1)
    add_probe(maker)
    page = Page(write_report(maker.study)).text
    text = page[page.index("You may copy this text") : page.rindex("Appendix: versions")]
    methods, _, appendix = text.partition("Appendix: settings")
    data = gather(maker.study, None)
    encoder = next(run.hashes["encoder"] for run in data.runs if run.run.name == "gaze")
    for said in (
        data.cohort.fingerprint[:12], "a batch size of 32", "tima", "a learning rate of 0.001",
        "feedfeedfeed", "PyTorch 2", "m (lsl) at 100 Hz",
        "1 (rated bad: loss above 15 %)", "velocity (parameters 0)", "1 reader made",
    ):  # fmt: skip
        assert said in methods, said
    assert "(s)" not in methods
    assert "config." not in methods
    for said in ("config.batch32", "config.lr0.001", "settings.seed7", "feed" * 16):
        assert said in appendix, said
    versions = page[page.rindex("Appendix: versions") :]
    for said in (data.cohort.fingerprint, encoder, "c0ffee"):
        assert said in versions, said
    assert str(maker.study.folder) not in page


def test_positive_pairs_are_drawn_from_above_the_threshold(maker: StudyMaker) -> None:
    fill(maker)
    found = gather(maker.study, None).similarity
    found.matrix[:] = 0.1
    found.valid[:] = True
    for i, j in ((0, 1), (2, 4)):
        found.matrix[i, j] = found.matrix[j, i] = 0.95
    assert drawn_pairs(found) == [(0, 1), (2, 4)]


@pytest.mark.usefixtures("tiny_encoder")
def test_the_cases_are_counted_by_what_their_sheets_say(maker: StudyMaker) -> None:
    fill(maker, 4)
    assert "Cases by case sheet" not in cohort_section(gather(maker.study, None)).html
    with maker.study.database.write() as session:
        cases = session.scalars(select(StudyCase).order_by(StudyCase.id)).all()
        for case, group in zip(cases, ("50 to 59", "under 18", "50 to 59"), strict=False):
            case.sheet = {"age_group": group, "question": "as Mrs Quill said"}
        cases[3].practice = True
    data = gather(maker.study, None)
    assert data.sheets == {"age_group": {"50 to 59": 2, "under 18": 1}}
    html = cohort_section(data).html
    assert "Cases by case sheet" in html
    assert "Quill" not in html


def test_a_shared_report_leaves_out_images_notes_and_readers(maker: StudyMaker) -> None:
    name = fill(maker)
    add_run(maker, "gaze", "gzpt", 1)
    with maker.study.database.write() as session:
        session.query(TrainingRun).update({"message": "private words"})
    whole = Page(write_report(maker.study))
    assert "R01" in whole.text
    assert "private words" in whole.text
    path = write_report(maker.study, share=True)
    shared, text = Page(path), path.read_text(encoding="utf-8")
    assert "For sharing:" in shared.text
    assert "data:image/jpeg" not in text
    assert sum(s.startswith("data:image/png") for s in shared.sources) == 2  # the matrix
    assert "R01" not in text
    assert "private words" not in text
    assert "readings by 1 reader were included" in shared.text
    assert "same label among 5 nearest" in shared.text
    assert name


def test_figures_and_tables_are_files_too(maker: StudyMaker, tmp_path: Path, capsys) -> None:
    name = fill(maker)
    add_probe(maker)
    out = tmp_path / "out" / "r.html"
    assert main(["--study", str(maker.study.folder), "--out", str(out), "--figures"]) == 0
    folder = tmp_path / "out" / "r-figures"
    names = sorted(p.name for p in folder.iterdir())
    for chart in folder.glob("*.svg"):
        root = ElementTree.parse(chart).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("width")
    assert any("auc-of-the-linear-probe" in n for n in names)
    assert cv2.imread(str(next(folder.glob("*.jpg")))) is not None
    with (folder / f"curves-{name}.csv").open(encoding="utf-8") as file:
        assert float(list(csv.DictReader(file))[-1]["loss"]) < 1
    with next(folder.glob("table-*-linear-probe*.csv")).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["AUC"] == "0.81 [0.76, 0.86]"
    values = (folder / "similarity-of-pairs.csv").read_text().splitlines()[1:]
    assert values == sorted(values)
    assert len(values) == 4 * 3 / 2
    assert capsys.readouterr().out.strip() == str(out)


def test_intervals_stand_where_they_belong() -> None:
    series = [Interval("a", ((0.5, 0.4, 0.6), None)), Interval("b", (None, (0.9, 0.8, 1.0)), 1)]
    chart = interval_chart(series, ["10", "all"], "labels", "AUC")
    assert chart.count('class="whisker') == 2
    assert "a 0.500, none; b none, 0.900" in chart
    assert interval_chart([Interval("a", (None,))], ["10"], "labels", "AUC") == ""


_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(_BROWSER is None, reason="no Chromium here: apt-get install chromium")
@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize("share", [False, True])
def test_a_browser_draws_the_page_and_prints_it(maker: StudyMaker, tmp_path, share) -> None:
    fill(maker)
    add_probe(maker)
    add_run(maker, "gaze", "gzpt", 1)
    page = write_report(maker.study, out=tmp_path / "r.html", share=share)
    drawn = tmp_path / "page.png"
    _browse(tmp_path, "--window-size=1100,6000", f"--screenshot={drawn}", page.as_uri())
    picture = cv2.imread(str(drawn))
    assert picture.shape[1] == 1100
    dark = np.abs(picture.astype(int) - (0x1B, 0x18, 0x16)).max(axis=2) < 3
    assert 0.5 < dark.mean() < 0.999  # the page's own ground, with something on it
    assert (~dark)[:, 1078:].mean() < 0.01  # nothing runs over the right edge
    blue = np.abs(picture.astype(int) - (0xE0, 0xB0, 0x6C)).max(axis=2) < 3
    assert blue.sum() > 2000  # histogram and curves have their colours from the style sheet
    printed = tmp_path / "page.pdf"
    _browse(tmp_path, f"--print-to-pdf={printed}", page.as_uri())
    assert 2 <= printed.read_bytes().count(b"/Type /Page\n") <= 40


def _browse(folder: Path, *words: str) -> None:
    command = [_BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               f"--user-data-dir={folder / 'profile'}", "--no-first-run", *words]  # fmt: skip
    subprocess.run(command, check=True, timeout=120, capture_output=True)
