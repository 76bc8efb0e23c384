"""From gaze and areas to the tables of a study: readings, areas, transitions, pairs, misses."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from trainer.analysis.areas import Area, first_area
from trainer.analysis.kundel import CLASSES, Thresholds, classify
from trainer.analysis.looked import FloatArray, Looked
from trainer.analysis.measures import attention, maps, strings, transitions
from trainer.analysis.multimatch_pairs import multimatch_of
from trainer.analysis.registry import groups_of

Row = dict[str, Any]
_WIDER_DEG, _WIDER_MS = (1.5, 2.0, 2.5, 3.0, 3.5), (500.0, 750.0, 1000.0, 1500.0)
"""Thresholds over which the counts of classes are shown beside those in force."""


@dataclass(frozen=True, slots=True)
class Missed:
    """An error of a reader: a lesion that was not reported, or a mark where none is.

    Attributes
    ----------
    looked, place
        The gaze and the area of the lesion or the mark.
    residuals_deg
        Shape (R, 2): gaze less target of the reader's validation; None where there is none.
    error
        "false negative" or "false positive".
    """

    looked: Looked
    place: Area
    residuals_deg: FloatArray | None = None
    error: str = "false negative"


@dataclass(frozen=True, slots=True)
class Settings:
    """How areas are met and misses classed.

    Attributes
    ----------
    margin_deg
        Added round every area; None: each reader's validated accuracy, 0 where it is not known.
    useful_field_deg
        Radius of the useful field of view.
    thresholds
        Of the classes of misses.
    seed
        Of the draws of the tracker's error.
    """

    margin_deg: float | None = None
    useful_field_deg: float = 2.5
    thresholds: Thresholds = field(default_factory=Thresholds)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tables:
    """The rows of each table, in order of reading and area."""

    readings: list[Row]
    areas: list[Row]
    transitions: list[Row]
    pairs: list[Row]
    misses: list[Row]
    sensitivity: list[Row]


def tables_of(
    looks: Sequence[Looked],
    areas: Mapping[str, Sequence[Area]],
    missed: Sequence[Missed] = (),
    settings: Settings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tables:
    """Return all tables of a study.

    Parameters
    ----------
    looks
        The gaze of each reading on each image.
    areas
        Of each image, by its id.
    missed
        The lesions that were not reported.
    """
    settings = settings or Settings()
    by_image: dict[str, list[int]] = defaultdict(list)
    for k, looked in enumerate(looks):
        by_image[looked.image].append(k)
    readings: list[Row] = [{} for _ in looks]
    tables = Tables(readings, [], [], [], *_misses(missed, settings))
    focal = attention.k_coefficients(looks)
    for done, places in enumerate(by_image.values(), start=1):
        of_image = [looks[k] for k in places]
        together, between = _between(of_image)
        tables.pairs.extend(between)
        for k, others in zip(places, together, strict=True):
            looked = looks[k]
            shown = areas.get(looked.image, ())
            visited, rows = _areas(looked, shown, settings)
            tables.areas.extend(rows)
            tables.transitions.extend(_transitions(looked, shown, visited))
            moves = transitions.transitions(visited, looked.duration_us, len(shown))
            readings[k].update(
                _names(looked) | _reading(looked, settings)
                | {"k_coefficient": float(focal[k])} | moves | others
            )  # fmt: skip
        progress(done, len(by_image))
    return tables


def margin_px(looked: Looked, settings: Settings) -> float:
    """Return what is added round an area for this reading, image pixels."""
    degrees = looked.accuracy_deg if settings.margin_deg is None else settings.margin_deg
    margin = degrees * looked.scale_px_per_deg
    return float(margin) if np.isfinite(margin) else 0.0


def _names(looked: Looked) -> Row:
    return {
        "reading": looked.reading, "reader": looked.reader, "image": looked.image,
        "arm": looked.arm,
    }  # fmt: skip


def _reading(looked: Looked, settings: Settings) -> Row:
    row: Row = {}
    for group in groups_of("reading"):
        row |= group.compute(looked, **{name: getattr(settings, name) for name in group.settings})
    return row


def _areas(
    looked: Looked, areas: Sequence[Area], settings: Settings
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[Row]]:
    """Return the area of each fixation, and a row for each area."""
    margin = margin_px(looked, settings)
    rows = []
    for area in areas:
        inside = area.contains(looked.points_image, looked.frame, margin)
        row = _names(looked) | {"area": area.name, "lesion": int(area.lesion)}
        for group in groups_of("area"):
            row |= group.compute(looked, inside)
        rows.append(row)
    return first_area(areas, looked.points_image, looked.frame, margin), rows


def _transitions(
    looked: Looked, areas: Sequence[Area], visited: np.ndarray[Any, np.dtype[np.int64]]
) -> list[Row]:
    counts = transitions.transition_counts(visited, len(areas))
    return [
        _names(looked) | {"from": areas[i].name, "to": areas[j].name, "count": int(counts[i, j])}
        for i, j in np.argwhere(counts > 0)
    ]


def _between(looks: Sequence[Looked]) -> tuple[list[Row], list[Row]]:
    """Return how others foretell each reading of one image, and a row for every two."""
    frames = np.unique(np.concatenate([looked.frame for looked in looks]))
    frames = frames if len(frames) else np.zeros(1, np.int64)
    drawn = [maps.FixationMap(looked, frames) for looked in looks]
    together = maps.against_others(drawn, [looked.reader for looked in looks])
    aligned = multimatch_of(looks)
    told = [strings.Strings.of(looked) for looked in looks]
    rows = []
    for i, j in combinations(range(len(looks)), 2):
        one, other = looks[i], looks[j]
        rows.append(
            {
                "image": one.image, "reading": one.reading, "other_reading": other.reading,
                "reader": one.reader, "other_reader": other.reader,
                "same_reader": int(one.reader == other.reader),
            }
            | maps.pair_of_maps(drawn[i], drawn[j])
            | strings.similarities(told[i], told[j])
            | aligned[i][j]
        )  # fmt: skip
    return together, rows


def _misses(missed: Sequence[Missed], settings: Settings) -> tuple[list[Row], list[Row]]:
    """Return a row for each missed lesion, and the counts of classes by threshold."""
    rows = []
    for miss in missed:
        found = classify(
            miss.looked, miss.place, settings.thresholds, miss.residuals_deg, settings.seed
        )
        rows.append(
            _names(miss.looked)
            | {"error": miss.error, "area": miss.place.name, "class": found.kind}
            | {"dwell_ms": found.dwell_ms, "accuracy_deg": miss.looked.accuracy_deg}
            | {f"p_{kind}": p for kind, p in found.probability.items()}
        )
    return rows, _sensitivity(missed, settings) if missed else []


def _sensitivity(missed: Sequence[Missed], settings: Settings) -> list[Row]:
    rows = []
    for radius in sorted({*_WIDER_DEG, settings.thresholds.radius_deg}):
        for dwell in sorted({*_WIDER_MS, settings.thresholds.dwell_ms}):
            other = replace(settings.thresholds, radius_deg=radius, dwell_ms=dwell)
            for error in dict.fromkeys(m.error for m in missed):
                own = [m for m in missed if m.error == error]
                kinds = [classify(m.looked, m.place, other).kind for m in own]
                rows.append(
                    {"error": error, "radius_deg": radius, "dwell_threshold_ms": dwell}
                    | {kind: kinds.count(kind) for kind in CLASSES}
                )
    return rows
