"""Sections on what was imported and read, and how good the recordings are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from migrations.study.case_sheets import SHEET
from migrations.study.processes import as_typed
from migrations.study.reader_attributes import ATTRIBUTES
from trainer.probe.labelled import ordered_classes
from trainer.report.data import ReadingRow, ReportData
from trainer.report.flow import flow_chart, folder_steps, image_steps, reading_steps
from trainer.report.page import (
    Cell,
    Section,
    facts,
    figure,
    missing,
    paragraph,
    percent,
    table,
)

LISTED_READINGS = 100
UNFOLDED_READINGS = 30


def cohort_section(data: ReportData) -> Section:
    """Return what is in the study, what is trained on, and what was left out and why."""
    members = data.cohort.members
    read = sum(1 for m in members if m.readings)
    html = facts(
        [
            ("Images imported", len(data.image_names)),
            ("Cases", data.case_count),
            ("Readers", len({r.reader for r in data.readings})),
            ("Readings", len(data.readings)),
            ("Images in the cohort", len(members)),
            ("with gaze", read),
        ]
    )
    html += figure(flow_chart([image_steps(data), reading_steps(data)]), "Cohort flow")
    if not members:
        html += missing(
            as_typed(
                "There are no images to train on yet. Import some with `python main.py import`."
            )
        )
    if not data.readings:
        html += missing("No cases have been read yet. Open the station and read some.")
    elif not data.share:
        html += _states(data.readings, data.attributes)
    html += _labels(data) + _sheets(data.sheets)
    html += _dropped(data)
    sittings = "; ".join(
        f"{model}, {n} session{'s' if n > 1 else ''}" for model, n in data.sittings.items()
    )
    html += paragraph(f"Trackers: {sittings}.") if sittings else ""
    return Section("cohort", "Cohort", html)


def folder_section(data: ReportData) -> Section:
    """Return what is in a folder of images: labels, patients, what is held back."""
    members = data.cohort.members
    patients = {m.source_group for m in members}
    html = facts(
        [
            ("Images", len(members)),
            ("Patients", len(patients)),
            ("Labelled images", sum(1 for m in members if m.label is not None)),
            ("Held out for testing", sum(1 for m in members if m.split == "test")),
        ]
    )
    html += figure(flow_chart(folder_steps(data)), "Image flow")
    if all(m.source_group == m.image_id for m in members):
        html += paragraph("Patients are unknown, so each image counts as a separate patient.")
    splits = sorted({m.split or "train" for m in members}, key=("train", "val", "test").index)
    count = Counter((m.label, m.split or "train") for m in members)
    rows: list[list[Cell]] = [
        [label, *(count[label, split] for split in splits)]
        for label in ordered_classes([m.label for m in members if m.label is not None])
    ]
    if rows:
        html += table("Images by label and split", ["label", *splits], rows)
    return Section("cohort", "Cohort", html)


def quality_section(data: ReportData) -> Section:
    """Return the quality of the recordings, by reader and by reading."""
    if not data.readings:
        return Section("quality", "Data quality", missing("There are no readings to rate yet."))
    if data.share:
        html = _overall(data.readings)
    else:
        html = _by_reader(data.readings) + _by_reading(data.readings)
    note = (
        "Samples: recorded while the reading was open (the tracker also records before and after "
        "it). Never came: expected samples that did not arrive. Invalid: samples without the "
        "chosen eye. Gaze lost: both together, as a share of the expected samples. Off image: "
        "samples outside every image. Fixations outside the images are neither drawn nor "
        "compared. Accuracy: mean offset in degrees of visual angle at the session's last "
        "validation."
    )
    return Section("quality", "Data quality", html + paragraph(note, "note"))


def _states(readings: Sequence[ReadingRow], attributes: Mapping[str, Mapping[str, str]]) -> str:
    asked = [a for a in ATTRIBUTES if any(a in said for said in attributes.values())]
    states = ("finished", "interrupted", "abandoned", "open")
    found = [*states, *sorted({r.state for r in readings} - set(states))]
    rows: list[list[Cell]] = []
    for reader in sorted({r.reader for r in readings}):
        count = Counter(r.state for r in readings if r.reader == reader)
        said = attributes.get(reader, {})
        rows.append([reader, *(said.get(a) for a in asked), *(count[s] for s in found)])
    return table("Readings by reader (pseudonym) and state", ["reader", *asked, *found], rows)


def _labels(data: ReportData) -> str:
    count = Counter(m.label for m in data.cohort.members if m.label is not None)
    if not count:
        return ""
    rows: list[list[Cell]] = [[label, n] for label, n in sorted(count.items())]
    return table("Images in the cohort by label", ["label", "images"], rows)


def _sheets(sheets: Mapping[str, Mapping[str, int]]) -> str:
    """Return who the patients were, as far as the case sheets say."""
    words = {"age_group": "age group", "sex": "sex"}
    rows: list[list[Cell]] = [
        [words[part], value or "not stated", sheets[part][value]]
        for part in sheets
        for value in (*SHEET[part], "")
        if sheets[part].get(value)
    ]
    return table("Cases by case sheet", ["", "class", "cases"], rows) if rows else ""


def _dropped(data: ReportData) -> str:
    if not data.cohort.dropped:
        return paragraph("Nothing was excluded from the cohort.")
    count: Counter[tuple[str, str]] = Counter()
    for dropped in data.cohort.dropped:
        reason = dropped.reason if dropped.kind == "reading" else "no presentation image"
        count[dropped.kind, reason] += 1
    rows: list[list[Cell]] = [[kind, reason, n] for (kind, reason), n in count.most_common()]
    return table("Excluded from the cohort", ["what", "why", "number"], rows)


_QUALITY = (
    "readings", "rated bad", "samples", "never came", "invalid", "time (s)", "gaze lost",
    "off image", "fixations", "of them on images", "accuracy (°)",
)  # fmt: skip


def _quality(own: Sequence[ReadingRow]) -> list[Cell]:
    return [
        len(own),
        sum(r.verdict == "bad" for r in own),
        sum(r.samples or 0 for r in own),
        _total(r.missing for r in own),
        _total(r.invalid for r in own),
        _median(r.seconds for r in own),
        percent(_median(r.loss for r in own)),
        percent(_median(r.off_image for r in own)),
        _median(float(r.fixations) for r in own),
        _median(float(r.fixations_on_images) for r in own),
        _median(r.accuracy_deg for r in own),
    ]


def _by_reader(readings: Sequence[ReadingRow]) -> str:
    rows: list[list[Cell]] = [
        [reader, *_quality([r for r in readings if r.reader == reader])]
        for reader in sorted({r.reader for r in readings})
    ]
    caption = "By reader; from the time column onwards, medians over readings"
    return table(caption, ["reader", *_QUALITY], rows)


def _overall(readings: Sequence[ReadingRow]) -> str:
    caption = "All readers; from the time column onwards, medians over readings"
    return table(caption, _QUALITY, [_quality(readings)])


def _by_reading(readings: Sequence[ReadingRow]) -> str:
    """Return a table of readings, the greatest loss first, folded away."""
    ordered = sorted(readings, key=lambda r: (r.verdict != "bad", -(r.loss or 0.0)))
    rows: list[list[Cell]] = [
        [
            r.name,
            ", ".join(r.images),
            r.reader,
            f"{r.state}{', practice' if r.practice else ''}",
            None if r.seconds is None else round(r.seconds, 1),
            r.samples,
            r.missing,
            r.invalid,
            percent(r.loss),
            percent(r.off_image),
            r.fixations,
            r.fixations_on_images,
            None if r.accuracy_deg is None else f"{r.accuracy_deg:.2f}",
            r.verdict,
            "; ".join(r.reasons),
        ]
        for r in ordered[:LISTED_READINGS]
    ]
    head = [
        "reading", "image", "reader", "state", "time (s)", "samples", "never came", "invalid",
        "gaze lost", "off image", "fixations", "of them on images", "accuracy (°)", "verdict",
        "reasons",
    ]  # fmt: skip
    left = len(readings) - len(rows)
    caption = "Readings, with bad ones and those with the greatest gaze loss first"
    caption += f"; {left} more are not listed" if left else ""
    unfolded = " open" if len(rows) <= UNFOLDED_READINGS else ""
    return (
        f"<details{unfolded}><summary>Each reading</summary>{table(caption, head, rows)}</details>"
    )


def _total(values: Iterable[int | None]) -> int | None:
    there = [v for v in values if v is not None]
    return sum(there) if there else None


def _median(values: Iterable[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return float(np.median(there)) if there else None
