"""The layout of the released McGIP/GzPT code, so that a run can be repeated there.

``images/<class>/<name>.png``, ``gaze/<name>.json`` (`gaze`, `img`, `case`, `gt`), ``relation.npy``
in the order of ``preTrain.json`` and ``namelist.txt``, ``split.json``. There x and y count in
pixels of the image resized to a height of 800 and are whole numbers; what that loses stands beside
it under `foveate`, which the released code does not look at.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from migrations.study.command_line import shown_progress
from migrations.study.csv_cells import CsvWriter
from migrations.study.folder import Study
from migrations.study.names import Names, names_of, split_item
from migrations.study.schema import Image, Reader
from trainer.data.cohort import Cohort, Member, ReadingGaze
from trainer.exports.relation import ExportRelation

CANVAS_HEIGHT = 800


def write_mcgip(study: Study, cohort: Cohort, relation: ExportRelation, out: Path) -> list[Path]:
    """Write the layout into an empty folder; return its files."""
    numbers, readers, called = _rows(study)
    classes = class_numbers(study.settings.classes, [m.label for m in cohort.members])
    written, names = [], []
    progress = shown_progress("images")
    for place, member in enumerate(cohort.members):
        progress(place, len(cohort.members))
        # The released code takes a name less its last character for the case.
        image_id, frame = split_item(member.image_id)
        of_frame = "" if frame is None else f"f{frame:05d}"
        stem = f"case{numbers[image_id]:05d}{of_frame}a"
        gt = classes.get(member.label or "", -1)
        names.append(f"{gt}/{stem}.png")
        picture = out / "images" / names[-1]
        picture.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(member.presentation, picture)
        written.append(picture)
        for k, reading in enumerate(member.readings):
            name = stem if k == 0 else f"{stem}_{k + 1}"
            content = gaze_json(member, reading, f"{stem}.png", gt, readers[reading.reader_id])
            written.append(_json(out / "gaze" / f"{name}.json", content))
    progress(len(cohort.members), len(cohort.members))
    return written + _lists(cohort, names, called, relation, classes, out)


def class_numbers(named: Sequence[str], labels: Sequence[str | None]) -> dict[str, int]:
    """Return the number of each class: the study's answers in their order, then other labels.

    Labels that all are whole numbers keep them.
    """
    there = sorted({label for label in labels if label is not None})
    if there and all(label.isdecimal() for label in there):
        return {label: int(label) for label in there}
    known = [name for name in named if name in there]
    return {name: k for k, name in enumerate([*known, *(t for t in there if t not in known)])}


def gaze_json(
    member: Member, reading: ReadingGaze, picture: str, gt: int, reader: str
) -> dict[str, Any]:
    """Return the gaze of one reading as the released code reads it, and exactly beside it."""
    scale = CANVAS_HEIGHT / member.height
    canvas = np.floor(reading.points_image * scale).astype(np.int64)
    return {
        "gaze": canvas.tolist(),
        "img": picture,
        "case": picture.split(".")[0][:-1],
        "gt": gt,
        "foveate": {
            "gaze_image": reading.points_image.tolist(),
            "time_us": reading.time_us.tolist(),
            "reader": reader,
            "reading_id": reading.reading_id,
            "image_sha256": member.sha256,
        },
    }


def _lists(
    cohort: Cohort,
    names: list[str],
    called: Mapping[str, str],
    relation: ExportRelation,
    classes: dict[str, int],
    out: Path,
) -> list[Path]:
    split: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for member, name in zip(cohort.members, names, strict=True):
        split.setdefault(member.split or "train", []).append(name)
    np.save(out / "relation.npy", relation.similarity)
    (out / "namelist.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    rows = zip(names, cohort.members, strict=True)
    with (out / "match.csv").open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file, end="\n")
        writer.row(("image", "sha256", "image_name"))
        writer.rows((Path(name).name, m.sha256, called[m.image_id]) for name, m in rows)
    facts = {"measure": relation.measure, "classes": classes, "canvas_height": CANVAS_HEIGHT}
    return [
        out / "relation.npy",
        out / "namelist.txt",
        out / "match.csv",
        _json(out / "preTrain.json", names),
        _json(out / "split.json", split),
        _json(out / "about.json", facts),
    ]


def _rows(study: Study) -> tuple[dict[str, int], dict[str, str], Names]:
    """Return import numbers of images, pseudonyms of readers and names of images, by id."""
    with study.database.read() as session:
        numbers = session.execute(select(Image.id, Image.import_number)).all()
        readers = session.execute(select(Reader.id, Reader.pseudonym)).all()
        called = names_of(session, "image")
    return {i: n for i, n in numbers}, {i: p for i, p in readers}, called


def _json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return path
