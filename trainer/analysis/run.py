"""From a study to the files of its analysis: one function, for the command and the page."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from migrations.study.folder import Study
from migrations.study.incomplete import marked_incomplete
from migrations.study.unwritable import unwritable_text
from trainer.analysis.areas import Area, grid, halves, thirds
from trainer.analysis.areas_file import areas_of_table
from trainer.analysis.check_areas import check_areas
from trainer.analysis.figures.all_figures import figures_of
from trainer.analysis.figures.figure import write_figures
from trainer.analysis.reported import Reported, errors_of, lesions_of, marks_of
from trainer.analysis.study import StudyGaze, gaze_of_study
from trainer.analysis.tables import Missed, Settings, Tables, tables_of
from trainer.analysis.write import write_gazeplotter, write_pymovements, write_tables
from trainer.errors import AnalysisError

Progress = Callable[[str, int, int], None]
PLAIN = ("none", "halves", "thirds", "grid")


@dataclass(frozen=True, slots=True)
class Question:
    """What is analysed.

    Attributes
    ----------
    areas
        A table of areas; None for none.
    plain
        Areas of every image beside those: "none", "halves", "thirds" or "grid" (3 × 3).
    mark_radius_deg
        A mark within this of a lesion's border finds it.
    """

    areas: Path | None = None
    plain: str = "none"
    mark_radius_deg: float = 1.0
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Analysis:
    """The tables of a study, and what is to be said beside them."""

    tables: Tables
    gaze: StudyGaze
    areas: Mapping[str, Sequence[Area]]
    notes: tuple[str, ...]


def analyse(
    study: Study,
    question: Question,
    progress: Progress = lambda stage, done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Analysis:
    """Analyse the gaze of a study.

    Raises
    ------
    AnalysisError
        No reading counts, or the table of areas cannot be understood.
    """
    gaze = gaze_of_study(study, lambda done, total: progress("readings", done, total), cancelled)
    told = areas_of_table(question.areas, gaze.images) if question.areas is not None else {}
    check_areas(study, told)
    areas = _with_plain(told, question.plain, gaze)
    marks = marks_of(study)
    # Plain areas say nothing of lesions, so a mark on them is not wrong.
    errors = _errors(gaze, told, marks, question.mark_radius_deg) if marks else []
    tables = tables_of(
        gaze.looks, areas, errors, question.settings,
        lambda done, total: progress("images", done, total),
    )  # fmt: skip
    return Analysis(tables, gaze, areas, _notes(gaze, areas, bool(marks)))


def write_analysis(folder: Path, found: Analysis, question: Question) -> list[str]:
    """Write tables, figures, definitions and the layouts of other tools; return the names."""
    try:
        with marked_incomplete(folder):
            names = write_tables(folder, found.tables, _about(found, question))
            drawn = figures_of(found.gaze.looks, found.areas, found.tables, question.settings)
            names += write_figures(folder, drawn)
            write_gazeplotter(folder / "gazeplotter.csv", found.gaze.looks, found.areas)
            write_pymovements(folder / "pymovements_events.csv", found.gaze.looks)
    except OSError as error:
        raise AnalysisError(unwritable_text(folder, error)) from error
    return [*names, "gazeplotter.csv", "pymovements_events.csv"]


def _with_plain(
    told: Mapping[str, Sequence[Area]], plain: str, gaze: StudyGaze
) -> dict[str, list[Area]]:
    found = {image: list(own) for image, own in told.items()}
    made = {"halves": halves, "thirds": thirds}.get(plain)
    if made is None and plain != "grid":
        return found
    for looked in {looked.image: looked for looked in gaze.looks}.values():
        size = looked.image, looked.width, looked.height
        found.setdefault(looked.image, []).extend(made(*size) if made else grid(*size, 3, 3))
    return found


def _errors(
    gaze: StudyGaze, areas: Mapping[str, Sequence[Area]], marks: Mapping[str, Sequence[Reported]],
    radius_deg: float,
) -> list[Missed]:  # fmt: skip
    if not any(lesions_of(areas, image) for image in areas):
        return []
    found = []
    for looked in gaze.looks:
        if len(looked.frame) and not np.isfinite(looked.scale_px_per_deg):
            continue  # without it nobody knows how near to a lesion gaze was
        radius = _finite(radius_deg * looked.scale_px_per_deg)
        lesions = lesions_of(areas, looked.image)
        errors = errors_of(looked, lesions, marks.get(looked.reading, ()), radius)
        residuals = gaze.residuals_deg.get(looked.reading)
        found += [Missed(looked, lesion, residuals) for lesion in errors.missed]
        if looked.image in areas:
            # Without a word about an image, nobody knows that a mark on it is wrong.
            found += [Missed(looked, m, residuals, "false positive") for m in errors.wrong]
    return found


def _finite(value: float) -> float:
    return value if np.isfinite(value) else 0.0


def _unread(gaze: StudyGaze, areas: Mapping[str, Sequence[Area]]) -> list[str]:
    """Say which images of the table nobody read: they have no row."""
    unread = sorted(set(areas) - {looked.image for looked in gaze.looks})
    if not unread:
        return []
    shown = ", ".join(unread[:5]) + (" …" if len(unread) > 5 else "")
    plural = "s" if len(unread) > 1 else ""
    return [f"{len(unread)} image{plural} with areas have no reading that counts: {shown}."]


def _notes(gaze: StudyGaze, areas: Mapping[str, Sequence[Area]], marks: bool) -> tuple[str, ...]:
    notes = [f"{d.kind} {d.id} was left out: {d.reason}" for d in gaze.dropped]
    notes += [f"reading {d.id}: {d.reason}" for d in gaze.damaged]
    lesions = any(area.lesion for own in areas.values() for area in own)
    if lesions and not marks:
        notes.append("Readers of this study place no marks, so misses cannot be determined.")
    return (*notes, *_unread(gaze, areas), *_unseen(gaze, areas), *_limits(gaze, areas))


def _unseen(gaze: StudyGaze, areas: Mapping[str, Sequence[Area]]) -> list[str]:
    """Say which lesions hung in a reading's case and were never on the screen: no row has them."""
    return [
        f"Reading {reading} never showed image {image} of its case: neither it nor its lesions "
        f"have a row ({', '.join(area.name for area in lesions)})."
        for reading, image in gaze.unseen
        if (lesions := lesions_of(areas, image))
    ]


def _limits(gaze: StudyGaze, areas: Mapping[str, Sequence[Area]]) -> list[str]:
    """Say what the accuracy does not allow: areas smaller than the error that gaze may have."""
    unknown, small, unscaled = set[str](), set[str](), set[str]()
    least = _least_size_px(areas)
    for looked in gaze.looks:
        if len(looked.frame) and not np.isfinite(looked.scale_px_per_deg):
            unscaled.add(looked.reading)
        if not np.isfinite(looked.accuracy_deg):
            unknown.add(looked.reading)
        elif 2 * looked.accuracy_deg * looked.scale_px_per_deg > least:
            small.add(looked.reading)
    readings = len({looked.reading for looked in gaze.looks})
    notes = []
    if unscaled:
        notes.append(
            f"The visual angle of {len(unscaled)} of {readings} readings is unknown: their areas "
            "have no margin, and their misses are not classified."
        )
    if unknown:
        notes.append(f"The accuracy of {len(unknown)} of {readings} readings was not validated.")
    if small:
        notes.append(
            f"The smallest areas are below twice the accuracy in {len(small)} of {readings} "
            "readings, where gaze on them cannot be distinguished from gaze beside them."
        )
    return notes


def _least_size_px(areas: Mapping[str, Sequence[Area]]) -> float:
    sizes = [
        float(np.ptp(area.corners, axis=0).min())
        for own in areas.values()
        for area in own
        if area.kind in ("box", "ellipse", "polygon")
    ]
    return min(sizes, default=np.inf)


def _about(found: Analysis, question: Question) -> dict[str, Any]:
    content = question.areas.read_bytes() if question.areas else None
    return {
        "settings": asdict(question.settings),
        "mark_radius_deg": question.mark_radius_deg,
        "plain_areas": question.plain,
        "areas_sha256": hashlib.sha256(content).hexdigest() if content else None,
        "readings": len({looked.reading for looked in found.gaze.looks}),
        "images": len({looked.image for looked in found.gaze.looks}),
        "notes": list(found.notes),
    }
