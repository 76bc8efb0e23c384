"""BIDS with eye tracking as of 1.11: one file per eye, events, geometry, participants.

``sub-<reader>/beh/sub-…_task-reading_run-…_recording-eye1_physio.tsv.gz`` (no header; columns
timestamp, x_coordinate, y_coordinate, pupil_size, frame), its ``.json``, ``…_physioevents`` with
the fixations, and ``…_events`` with what was shown, answered and annotated. Times of events are
seconds since the reading began; a run is one reading.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.exports.bids_files import (
    NOT_TOLD,
    Row,
    write_gzipped,
    write_json,
    write_tsv,
)
from app.interchange.exports.bids_people import participants, scans
from app.interchange.exports.readings import Content, ExportReading, Progress
from devices.gaze.geometry import FloatArray
from devices.gaze.samples import Eye
from migrations.study.database import foveate_version
from migrations.study.settings import LEADING_KEY

BIDS_VERSION = "1.11.0"
TASK = "reading"
_FRAME = "Frame of the image shown there, from 0"


def export_bids(content: Content, out: Path, progress: Progress) -> list[Path]:
    """Write a BIDS data set into an empty folder; return its files."""
    labels: dict[str, str] = {}
    runs: dict[str, dict[str, str]] = {}
    written = _data_set(content, out)
    people: dict[str, str] = {}
    for reading in content.readings(progress):
        if reading.gaze is None or not len(reading.gaze.time_us):
            continue
        label = _label(reading.reader, labels)
        people.setdefault(label, reading.reader)
        mine = runs.setdefault(label, {})
        folder = out / f"sub-{label}" / "beh"
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"sub-{label}_task-{TASK}_run-{len(mine) + 1:03d}"
        mine[f"beh/{stem}_events.tsv"] = reading.reading.case_id
        written += _run(content, reading, folder, stem)
    written += participants(out, people, content.readers())
    return [*written, *scans(out, runs, content.cases())]


def _label(pseudonym: str, labels: dict[str, str]) -> str:
    """Return the letters and digits of a pseudonym, kept distinct from the others'."""
    if pseudonym not in labels:
        plain = re.sub(r"[^A-Za-z0-9]", "", pseudonym) or "reader"
        taken, label, number = set(labels.values()), plain, 2
        while label.lower() in {t.lower() for t in taken}:
            label, number = f"{plain}x{number}", number + 1
        labels[pseudonym] = label
    return labels[pseudonym]


def _data_set(content: Content, out: Path) -> list[Path]:
    settings = content.study.settings
    description = {
        "Name": settings.name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "Foveate", "Version": foveate_version()}],
    }
    readme = (
        f"# {settings.name}\n\nGaze of readers of medical images, recorded with Foveate for "
        f"research, not for diagnosis. Question put to the readers: {settings.question}\n\nEach "
        "run is one reading of one case. `events.tsv` lists what was shown and where it was on "
        "the screen (`a` to `ty` map image pixels to screen pixels: x_screen = a*x + c*y + tx, "
        "y_screen = b*x + d*y + ty); images are named by the SHA-256 of their stored pixel "
        "values. `physioevents` contain fixations, saccades, pursuits and blinks. Readers are "
        "pseudonyms.\n"
    )
    (out / "README.md").write_text(readme, encoding="utf-8")
    return [write_json(out / "dataset_description.json", description), out / "README.md"]


def _run(content: Content, reading: ExportReading, folder: Path, stem: str) -> list[Path]:
    written = []
    for number, (eye, recorded) in enumerate(_eyes(reading), 1):
        name = f"{stem}_recording-eye{number}"
        written.append(_physio(reading, folder / f"{name}_physio.tsv.gz", eye))
        written.append(write_json(folder / f"{name}_physio.json", _physio_facts(reading, recorded)))
        written.append(_physioevents(content, reading, folder / f"{name}_physioevents.tsv.gz"))
        written.append(write_json(folder / f"{name}_physioevents.json", _PHYSIOEVENTS))
    events = write_tsv(folder / f"{stem}_events.tsv", _EVENT_COLUMNS, _events(content, reading))
    facts = _event_facts(reading, content.study.settings.question)
    return [*written, events, write_json(folder / f"{stem}_events.json", facts)]


def _eyes(reading: ExportReading) -> list[tuple[Eye, str]]:
    """Return which eyes there are, under our names and BIDS's."""
    if "eyes" in reading.lacks:
        return [("left", "cyclopean")]
    eyes: tuple[Eye, ...] = ("left", "right")
    there = [e for e in eyes if np.isfinite(reading.eye_screen(e)).any()]
    return [(e, e) for e in there] or [("left", "left")]


def _physio(reading: ExportReading, path: Path, eye: Eye) -> Path:
    assert reading.gaze is not None
    points: FloatArray = reading.eye_screen(eye)
    pupils = reading.gaze.samples[f"{eye}_pupil_mm"]
    frames = [None if frame < 0 else frame for frame in reading.gaze.frame.tolist()]
    times = reading.gaze.time_us.tolist()
    rows = zip(times, points[:, 0], points[:, 1], pupils, frames, strict=True)
    return write_gzipped(path, rows)


def _physio_facts(reading: ExportReading, recorded: str) -> dict[str, Any]:
    assert reading.gaze is not None
    first_us = int(reading.gaze.time_us[0]) - reading.reading.started_us
    facts: dict[str, Any] = {
        "TaskName": TASK,
        "SamplingFrequency": _rate_hz(reading),
        "StartTime": first_us / 1e6,
        "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size", "frame"],
        "PhysioType": "eyetrack",
        "RecordedEye": recorded,
        "SampleCoordinateSystem": "gaze-on-screen",
        "EnvironmentCoordinates": "top-left",
        "Manufacturer": _manufacturer(reading.session.tracker_kind),
        "ManufacturersModelName": reading.session.tracker_model or NOT_TOLD,
        "timestamp": {"Description": "Clock of the recording computer", "Units": "us"},
        "x_coordinate": {"Description": "Point of gaze, from the left edge", "Units": "pixel"},
        "y_coordinate": {"Description": "Point of gaze, from the top edge", "Units": "pixel"},
        "pupil_size": {"Description": "Pupil size as diameter", "Units": "mm"},
        "frame": {"Description": f"{_FRAME}, which `events` names; n/a outside every image"},
    }
    return facts | _calibration_facts(reading, recorded)


def _manufacturer(kind: str) -> str:
    return {"tobii": "Tobii", "simulated": "Foveate (simulated)"}.get(kind, NOT_TOLD)


def _calibration_facts(reading: ExportReading, recorded: str) -> dict[str, Any]:
    validation = reading.validation
    if validation is None:
        return {}
    side = {"left": "accuracy_left_deg", "right": "accuracy_right_deg"}
    error = getattr(validation, side.get(recorded, "accuracy_deg"))
    facts: dict[str, Any] = {"CalibrationCount": 1}
    if error is not None:
        facts["AverageCalibrationError"] = error
    return facts


def _rate_hz(reading: ExportReading) -> float:
    """Return the measured rate: BIDS requires one, even for gaze without times."""
    assert reading.gaze is not None
    steps = np.diff(reading.gaze.time_us)
    steps = steps[steps > 0]
    if len(steps):
        return round(1e6 / float(np.median(steps)), 6)
    return reading.session.tracker_rate_hz or 60.0


def _physioevents(content: Content, reading: ExportReading, path: Path) -> Path:
    rows = [
        (
            f.start_us,
            f.duration_us / 1e6,
            "fixation",
            json.dumps(
                {
                    "image_sha256": content.sha256(f.image_id),
                    "frame": f.frame,
                    "x_image": f.x_image,
                    "y_image": f.y_image,
                    "x_deg": f.x_deg,
                    "y_deg": f.y_deg,
                    "dispersion_deg": f.dispersion_deg,
                    "algorithm": f.algorithm,
                }
            ),
        )
        for f in reading.fixations
    ]
    rows += [
        (
            e.start_us,
            e.duration_us / 1e6,
            e.kind,
            json.dumps(
                {
                    "image_sha256": content.sha256(e.image_id),
                    "frame": e.frame,
                    "amplitude_deg": e.amplitude_deg,
                    "peak_velocity_deg_s": e.peak_velocity_deg_s,
                    "algorithm": e.algorithm,
                }
            ),
        )
        for e in reading.events
    ]
    return write_gzipped(path, sorted(rows, key=lambda row: row[0]))


_LEVELS = {
    "fixation": "The eye rested on one place",
    "saccade": "Rapid movement from one fixation to the next",
    "pursuit": "Smooth movement that follows something on the screen",
    "blink": "Gaze was lost for about as long as a blink takes",
}
_PHYSIOEVENTS = {
    "TaskName": TASK,
    "Columns": ["onset", "duration", "trial_type", "message"],
    "Description": "Fixations, saccades, pursuits and blinks as found by the filter",
    "OnsetSource": "timestamp",
    "onset": {"Description": "Start, on the clock of `timestamp`", "Units": "us"},
    "duration": {"Description": "From the first to the last sample", "Units": "s"},
    "trial_type": {"Description": "Type of event", "Levels": _LEVELS},
    "message": {"Description": "JSON: image, frame; centre, dispersion, or amplitude, velocity"},
}
_MAP = ("a", "b", "c", "d", "tx", "ty")
_EVENT_COLUMNS = ("onset", "duration", "trial_type", "image_sha256", "label", "x_image", "y_image",
                  "width_image", "height_image", *_MAP, "frame")  # fmt: skip


def _events(content: Content, reading: ExportReading) -> list[Row]:
    zero, ended = reading.reading.started_us, reading.reading.ended_us or reading.reading.started_us
    rows: list[Row] = [
        (0.0, (ended - zero) / 1e6, "reading", *[NOT_TOLD] * (len(_EVENT_COLUMNS) - 3))
    ]
    for view in reading.views:
        place = [getattr(view, name) for name in _MAP]
        sha256 = content.sha256(view.image_id)
        kind = f"view_{view.kind}"
        rows.append(
            ((view.time_us - zero) / 1e6, 0.0, kind, sha256, *[NOT_TOLD] * 5, *place, view.frame)
        )
    for mark in reading.annotations:
        if mark.kind != "note" and mark.undone_us is None:
            spot = [mark.x_image, mark.y_image, mark.width_image, mark.height_image]
            sha256, kind = content.sha256(mark.image_id) or NOT_TOLD, f"annotation_{mark.kind}"
            frame = mark.details.get("frame", 0) if mark.image_id else NOT_TOLD
            label = mark.label or NOT_TOLD
            onset = max((mark.time_us - zero) / 1e6, 0.0)
            rows.append((onset, 0.0, kind, sha256, label, *spot, *[NOT_TOLD] * 6, frame))
    return sorted([*rows, *_answers(reading, zero)], key=lambda row: row[0])


def _answers(reading: ExportReading, zero: int) -> list[Row]:
    """Return the answers to a form, without the class, which is already there, and free text."""
    classes = {mark.label for mark in reading.annotations if mark.kind == "class"}
    return [
        (max((a.time_us - zero) / 1e6, 0.0), 0.0, f"answer_{a.key}", NOT_TOLD, a.value,
         *[NOT_TOLD] * (len(_EVENT_COLUMNS) - 5))
        for a in reading.answers
        if a.kind != "text" and not (a.key == LEADING_KEY and a.value in classes)
    ]  # fmt: skip


def _event_facts(reading: ExportReading, question: str) -> dict[str, Any]:
    screen = reading.screen
    facts: dict[str, Any] = {
        "TaskName": TASK,
        "TaskDescription": "Reading medical images",
        "Instructions": question,
        "StimulusPresentation": {
            "ScreenDistance": screen.distance_mm / 1000,
            "ScreenSize": [screen.width_mm / 1000, screen.height_mm / 1000],
            "ScreenResolution": [round(screen.width_screen), round(screen.height_screen)],
            "ScreenOrigin": ["top", "left"],
            "ScreenRefreshRate": screen.refresh_hz,
            "SoftwareName": "Foveate",
            "SoftwareVersion": reading.session.software_version,
        },
        "trial_type": {
            "Description": "reading (the whole run), view_…, annotation_… or answer_<question>"
        },
        "image_sha256": {"Description": "SHA-256 of the image's stored pixel values"},
        "label": {"Description": "Class, name or answer given by the reader"},
    }
    for name in ("x_image", "y_image", "width_image", "height_image"):
        facts[name] = {"Description": "Position on the image", "Units": "pixel"}
    for name in _MAP:
        facts[name] = {"Description": "Map from image pixels to screen pixels; see README"}
    facts["frame"] = {"Description": _FRAME}
    distance = {"Description": f"Screen distance: {screen.distance_source}"}
    return facts | {"trial_type": {**facts["trial_type"], "LongName": distance["Description"]}}
