"""All who use the gaze of a stored reading, held against the oracle."""

import csv
import gzip
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from app.interchange.exports.bids import export_bids
from app.interchange.exports.readings import Content
from app.interchange.exports.tables import export_tables
from app.recording import replay
from migrations.study.names import split_item
from migrations.study.schema import Fixation
from tests.mapping.oracle import Expected, Scenario, expected, in_force
from tests.mapping.reading import START_US, Bench, live_rows, write
from tests.stored import gaze_of
from trainer.report import pictures
from trainer.report.gather import gather
from trainer.report.gaze_sections import readings_section


def near(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(
        np.asarray(found, float), np.asarray(wanted, float), rtol=0, atol=1e-6
    )


def check(bench: Bench, scenario: Scenario) -> None:
    """Hold all users of a reading's gaze against the oracle."""
    truth = expected(scenario)
    reading_id = write(bench, scenario)
    check_points(bench, reading_id, scenario, truth)
    with bench.study.database.read() as rows:
        found = list(rows.scalars(select(Fixation).order_by(Fixation.start_us)))
    check_fixations([vars(row) for row in found], bench, scenario, truth)
    check_fixations(live_rows(bench, scenario), bench, scenario, truth)
    check_trainer_and_report(bench, scenario, truth)
    with tempfile.TemporaryDirectory() as folder:
        check_csv(bench, reading_id, Path(folder), truth, found)
        check_bids(bench, reading_id, Path(folder), scenario, truth, found)


def check_points(bench: Bench, reading_id: str, scenario: Scenario, truth: Expected) -> None:
    """The one function itself, and the replay, which holds what it returns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "load", lambda study, image_id: None)
        shown = replay.load_replay(bench.study, reading_id)
    for gaze in (gaze_of(bench.study.database, reading_id), shown.gaze):
        assert gaze.time_us.tolist() == (START_US + scenario.time_us).tolist()
        near(gaze.points_norm, truth.norm)
        near(gaze.points_screen, truth.screen)
        near(gaze.points_deg, truth.deg)
        near(gaze.points_image, truth.image)
        near(gaze.image_px_per_deg, truth.px_per_deg)
        assert gaze.image_id.tolist() == images_of(bench, truth)
        assert gaze.frame.tolist() == truth.frame.tolist()
    for index, image_id in enumerate(bench.image_ids):
        near(shown.points_on(image_id, shown.duration_us), truth.image[truth.image_index == index])


def images_of(bench: Bench, truth: Expected) -> list[str]:
    return [(*bench.image_ids, "")[index] for index in truth.image_index]


def check_fixations(
    rows: list[dict[str, Any]], bench: Bench, scenario: Scenario, truth: Expected
) -> None:
    """Each lies at the mean of its samples on the image and frame that most of them fell on."""
    assert rows or np.isnan(truth.norm).any()
    for row in rows:
        since_us = row["start_us"] - START_US
        own = (scenario.time_us >= since_us) & (scenario.time_us <= since_us + row["duration_us"])
        own &= ~np.isnan(truth.norm[:, 0])
        on = [
            ("", 0) if index < 0 else (bench.image_ids[index], frame)
            for index, frame in zip(truth.image_index[own], truth.frame[own], strict=True)
        ]
        most = max(sorted(set(on)), key=on.count)
        near((row["x_deg"], row["y_deg"]), truth.deg[own].mean(axis=0))
        assert (row["image_id"] or "", row["frame"]) == most
        if most[0]:
            chosen = [each == most for each in on]
            near((row["x_image"], row["y_image"]), truth.image[own][chosen].mean(axis=0))


def check_trainer_and_report(bench: Bench, scenario: Scenario, truth: Expected) -> None:
    heated: list[Any] = []

    def heat_map(points: Any, *_args: Any, **_named: Any) -> Any:
        heated.append(points)
        return np.zeros((4, 4), np.float32)

    data = gather(bench.study, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "heat_map", heat_map)
        readings_section(data)
    met = np.zeros(len(truth.image_index), bool)
    for member in data.cohort.members:
        image_id, frame = split_item(member.image_id)
        on = truth.image_index == bench.image_ids.index(image_id)
        on &= (frame is None) | (truth.frame == frame)
        met |= on
        if not on.any():
            assert member.readings == ()
            continue
        (gaze,) = member.readings
        assert gaze.time_us.tolist() == scenario.time_us[on].tolist()
        near(gaze.points_image, truth.image[on])
        near(heated.pop(0), truth.image[on])
        assert gaze.image_px_per_deg == pytest.approx(truth.px_per_deg[on].mean(), abs=1e-6)
    # Of a stack the frames near the one seen longest take part; of the other image all gaze.
    assert met[truth.image_index == 1].all()
    assert met.any() or not (truth.image_index >= 0).any()


def content_of(bench: Bench, reading_id: str) -> Content:
    return replace(Content.of(bench.study), reading_ids=(reading_id,))


def check_csv(
    bench: Bench, reading_id: str, folder: Path, truth: Expected, fixations: list[Fixation]
) -> None:
    export_tables(content_of(bench, reading_id), folder, "csv", lambda done, total: None)
    samples, printed = table(folder / "samples.csv"), table(folder / "fixations.csv")
    near(numbers(samples, "x_image", "y_image"), truth.image)
    near(numbers(samples, "x_deg", "y_deg"), truth.deg)
    assert [row["image_id"] for row in samples] == images_of(bench, truth)
    near(numbers(printed, "x_image", "y_image"), places(fixations))
    assert [int(row["frame"]) for row in printed] == [f.frame for f in fixations]


def check_bids(
    bench: Bench,
    reading_id: str,
    folder: Path,
    scenario: Scenario,
    truth: Expected,
    fixations: list[Fixation],
) -> None:
    """BIDS holds each eye's gaze on the screen, raw, and the fixations on the image."""
    export_bids(content_of(bench, reading_id), folder, lambda done, total: None)
    screens = [in_force(scenario.screens, int(t)) for t in scenario.time_us]
    sizes = np.array([(s.width_px, s.height_px) for s in screens])
    eyes = [points for points in scenario.eyes() if np.isfinite(points).any()]
    files = sorted(folder.glob("sub-*/beh/*_physio.tsv.gz"))
    assert len(files) == len(eyes)
    for file, points in zip(files, eyes, strict=True):
        rows = [
            line.split("\t") for line in gzip.decompress(file.read_bytes()).decode().split("\n")
        ]
        told = [
            [np.nan if x == "n/a" else float(x) for x in row[:3]] for row in rows if len(row) > 1
        ]
        near(told, np.column_stack((START_US + scenario.time_us, points * sizes)))
        events = file.with_name(file.name.replace("physio.", "physioevents."))
        lines = gzip.decompress(events.read_bytes()).decode().splitlines()
        cells = [line.split("\t") for line in lines]
        found = [json.loads(row[3]) for row in cells if row[2] == "fixation"]
        near(
            [(f["x_image"] or np.nan, f["y_image"] or np.nan) for f in found] or [],
            places(fixations),
        )


def places(fixations: list[Fixation]) -> list[tuple[float, float]]:
    return [(f.x_image or np.nan, f.y_image or np.nan) for f in fixations]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(rows: list[dict[str, str]], *names: str) -> list[list[float]]:
    return [[float(row[name] or "nan") for name in names] for row in rows]
