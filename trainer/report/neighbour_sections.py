"""Nearest neighbours in feature space, with and without gaze."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from trainer.data.cohort import Member
from trainer.errors import ReportError, TrainerError
from trainer.probe.knn import unit
from trainer.probe.labelled import FloatArray, IntArray
from trainer.report.data import ReportData, RunFigures
from trainer.report.page import Cell, Section, figure, missing, paragraph, percent, table
from trainer.report.participation import setting
from trainer.report.pictures import grey_picture, presentation

MOST_IMAGES = 300
SHOWN_QUERIES, SHOWN_NEIGHBOURS, COUNTED = 4, 4, 5


@dataclass(frozen=True, slots=True)
class _Space:
    """A run's features of some images: the nearest others of each, (N, COUNTED)."""

    run: RunFigures
    nearest: IntArray


def neighbour_section(data: ReportData, cancelled: Callable[[], bool]) -> Section:
    """Return the nearest images of some, by the newest run with gaze and the newest without."""
    title, anchor = "Nearest neighbours in feature space", "neighbours"
    runs = [run for run in (_newest(data, gaze=True), _newest(data, gaze=False)) if run is not None]
    members = _some(data.cohort.members)
    if not runs or len(members) < 3:
        html = missing("No run has finished yet, so there is no encoder for finding neighbours.")
        return Section(anchor, title, html)
    spaces = []
    html = ""
    for run in runs:
        if cancelled():
            break
        try:
            spaces.append(_Space(run, _nearest(run, members)))
        except TrainerError as error:
            html += missing(str(error))
    html += _figures(data, members, spaces)
    if not data.share:
        html += _pictures(data, members, spaces)
    if len(runs) < 2:
        html += paragraph(
            "All runs are of the same kind. To see the effect of gaze, train one run with gaze "
            "pairs and one without (pairs none).",
            "note",
        )
    return Section(anchor, title, html)


def _newest(data: ReportData, *, gaze: bool) -> RunFigures | None:
    wanted = ("mcgip", "gzpt") if gaze else ("none",)
    fine = [run for run in data.runs if setting(run, "pairs") in wanted and run.encoder is not None]
    return fine[-1] if fine else None


def _some(members: Sequence[Member]) -> list[Member]:
    kept = np.unique(np.linspace(0, len(members) - 1, min(len(members), MOST_IMAGES)).round())
    return [members[int(k)] for k in kept]


def _nearest(run: RunFigures, members: Sequence[Member]) -> IntArray:
    """Return the nearest images of other patients, (N, up to COUNTED)."""
    from trainer.probe.picture_features import features_of

    assert run.encoder is not None  # as `_newest` found
    features = features_of(run.encoder, [m.presentation for m in members])
    groups = np.unique([m.source_group for m in members], return_inverse=True)[1]
    return nearest_of_others(features, groups.astype(np.int64))


def nearest_of_others(features: FloatArray, groups: IntArray, count: int = COUNTED) -> IntArray:
    """Return the nearest rows of another group, by cosine of centred features.

    Parameters
    ----------
    features
        Shape (N, D).
    groups
        Patient of each row, (N,).
    count
        Neighbours wanted.

    Returns
    -------
    IntArray
        Shape (N, ≤ count), the nearest first.
    """
    own = unit(features - features.mean(axis=0))
    likeness = own @ own.T
    likeness[groups[:, None] == groups[None, :]] = -np.inf
    others = int(np.isfinite(likeness).sum(axis=1).min())
    order = np.argsort(-likeness, axis=1, kind="stable")
    return np.asarray(order[:, : max(0, min(count, others))], np.int64)


def _figures(data: ReportData, members: Sequence[Member], spaces: Sequence[_Space]) -> str:
    rows: list[list[Cell]] = []
    labels = np.array([m.label or "" for m in members])
    known = labels != ""
    for space in spaces:
        same = labels[space.nearest] == labels[:, None]
        fine = known[:, None] & known[space.nearest]
        share = float(same[fine].mean()) if fine.any() else None
        rows.append(
            [
                space.run.run.name,
                str(setting(space.run, "pairs")),
                percent(share),
                _gaze_likeness(data, members, space),
            ]
        )
    chance = None
    if known.sum() > 1:
        _, counts = np.unique(labels[known], return_counts=True)
        chance = percent(float((counts * (counts - 1)).sum() / (known.sum() * (known.sum() - 1))))
    if not rows:
        return ""
    head = ["run", "pairs", f"same label among {COUNTED} nearest", "their gaze similarity"]
    caption = f"Nearest neighbours of {len(members)} images among images of other patients"
    note = "Gaze similarity is the mean over pairs that have a value"
    note += f"; two random images share a label in {chance} of cases." if chance else "."
    return table(caption, head, rows) + paragraph(note, "note")


def _gaze_likeness(data: ReportData, members: Sequence[Member], space: _Space) -> float | None:
    found = data.similarity
    if found is None or space.nearest.size == 0:
        return None
    place = {image: k for k, image in enumerate(found.ids)}
    at = np.array([place.get(m.image_id, -1) for m in members])
    first, second = at[:, None], at[space.nearest]
    fine = (first >= 0) & (second >= 0)
    fine &= found.valid[np.maximum(first, 0), np.maximum(second, 0)]
    values = found.matrix[np.maximum(first, 0), np.maximum(second, 0)][fine]
    return float(values.mean()) if len(values) else None


def _pictures(data: ReportData, members: Sequence[Member], spaces: Sequence[_Space]) -> str:
    shown = np.unique(np.linspace(0, len(members) - 1, SHOWN_QUERIES).round()).astype(int)
    html = ""
    for query in shown.tolist():
        rows = "".join(_row(data, members, space, query) for space in spaces)
        html += f'<div class="card">{rows}</div>'
    return f'<div class="neighbours">{html}</div>' if spaces else ""


def _row(data: ReportData, members: Sequence[Member], space: _Space, query: int) -> str:
    name = f"{space.run.run.name} ({setting(space.run, 'pairs')})"
    chosen = [query, *space.nearest[query, :SHOWN_NEIGHBOURS].tolist()]
    cells = "".join(_cell(data, members[k], rank) for rank, k in enumerate(chosen))
    return f'<h3>{escape(name)}</h3><div class="five">{cells}</div>'


def _cell(data: ReportData, member: Member, rank: int) -> str:
    caption = data.called(member.image_id) + (f" · {member.label}" if member.label else "")
    caption = f"{caption} (query)" if rank == 0 else f"{rank}. {caption}"
    try:
        image = presentation(member.presentation, 200)
    except ReportError as error:
        return missing(str(error))
    return figure(grey_picture(image, f"Image {caption}"), caption)
