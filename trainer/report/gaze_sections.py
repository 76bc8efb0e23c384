"""Sections on where readers looked and which images were read alike."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from devices.gaze.cluster_order import cluster_order
from devices.gaze.pair_rates import pair_values
from migrations.study.processes import as_typed
from trainer.data.cohort import Member
from trainer.drawing.charts import histogram
from trainer.errors import ReportError
from trainer.report.data import ReportData, SimilarityFigures
from trainer.report.page import Cell, Section, facts, figure, missing, paragraph, percent, table
from trainer.report.pair_sections import evidence_html, findings_html, positive_pairs_html
from trainer.report.participation import measure_of, setting
from trainer.report.pictures import (
    SHOWN_FIXATIONS,
    grey_picture,
    heat_picture,
    matrix_picture,
    path_picture,
    presentation,
)

SHOWN_READINGS = 6
SHOWN_PAIRS = 6
_MOST_ORDERED = 2000  # beyond, ordering by clustering takes longer than it shows
_COMMON_THRESHOLDS = (0.7, 0.8, 0.9, 0.95, 0.99)


def readings_section(data: ReportData) -> Section:
    """Return some readings, spread over the cohort, each as scan path and heat map."""
    read = [m for m in data.cohort.members if m.readings]
    if data.share:
        html = missing("Images and individual readings are left out of a shared report.")
        return Section("readings", "Readings", html)
    if not read:
        html = missing("The cohort has no readings with gaze on an image yet.")
        return Section("readings", "Readings", html)
    chosen = [read[k] for k in _spread(len(read), SHOWN_READINGS)]
    cards = "".join(_reading_card(data, m) for m in chosen)
    note = (
        "Circles are fixations: their area shows the duration, and every fifth is numbered. "
        f"Bright colours show where gaze rested longest. {len(chosen)} of {len(read)} images with "
        "gaze are shown."
    )
    html = paragraph(note, "note") + f'<div class="grid">{cards}</div>'
    return Section("readings", "Readings", html)


def similarity_section(data: ReportData) -> Section:
    """Return how alike the images were read: distribution, matrix, the most alike pairs."""
    found = data.similarity
    if found is None and data.schema is None:
        html = missing(
            "A folder of images has no gaze. Use `--relation FILE` to show gaze similarity."
        )
        return Section("similarity", "Gaze similarity", html)
    if found is None:
        html = _of_graphs(data) or missing(
            as_typed(
                "Gaze similarity has not been computed yet. Press Pretrain, or run `python main.py "
                f"train {data.hint}`."
            )
        )
        return Section("similarity", "Gaze similarity", html)
    values = pair_values(found.matrix, found.valid)
    html = _figures(found) + evidence_html(found)
    if len(values):
        title = f"{found.run.measure} similarity"
        chart = histogram(values, found.threshold, title)
        html += '<div class="charts">'
        html += figure(
            chart, f"{len(values)} pairs of images; pairs above the threshold are positive."
        )
        html += _rates(found, values) + "</div>" + findings_html(data, found)
        html += _matrix(data, found, values)
        html += "" if data.share else _pairs(data, found)
    else:
        html += missing("No pair of images has a value, because gaze is too short or missing.")
    return Section("similarity", "Gaze similarity", html)


def _of_graphs(data: ReportData) -> str:
    """Return what runs tell of pairs whose similarity was too large to be kept as a matrix."""
    rows: list[list[Cell]] = [
        [
            run.run.name,
            measure_of(run),
            run.run.details.get("threshold"),
            percent(run.run.details.get("positive_rate")),
            run.run.details.get("extra_pairs_per_batch"),
        ]
        for run in data.runs
        if setting(run, "pairs") in ("mcgip", "gzpt")
        and run.run.details.get("positive_rate") is not None
    ]
    if not rows:
        return ""
    note = paragraph(
        as_typed(
            "Pairs came from a sparse graph or a relation file, so the study has no similarity "
            "matrix. To compare the readings, run `python main.py similarity`."
        )
    )
    head = ["run", "measure", "threshold", "positive rate", "extra pairs per batch"]
    return note + table("Pairs by gaze", head, rows)


def _spread(count: int, wanted: int) -> list[int]:
    return sorted({round(k) for k in np.linspace(0, count - 1, min(count, wanted))})


def _reading_card(data: ReportData, member: Member) -> str:
    reading, size = member.readings[0], (member.width, member.height)
    who = {r.id: f"reading {r.name}, reader {r.reader}" for r in data.readings}
    name = f"Image {data.called(member.image_id)}, {who.get(reading.reading_id, 'reader ?')}"
    try:
        image = presentation(member.presentation)
    except ReportError as error:
        return f'<div class="card"><h3>{escape(name)}</h3>{missing(str(error))}</div>'
    fixations = reading.fixations
    count = len(fixations.duration_us)
    path = path_picture(image, fixations, *size, f"{name}: scan path of {count} fixations")
    heat = heat_picture(image, reading, *size, f"{name}: heat map of gaze")
    seconds = fixations.duration_us.sum() / 1e6
    caption = f"{count} fixations on the image, {seconds:.0f} s in total"
    caption += f"; only the first {SHOWN_FIXATIONS} are drawn" if count > SHOWN_FIXATIONS else ""
    samples = f"{len(reading.points_image)} samples on the image"
    label = f" · {member.label}" if member.label else ""
    return (
        f'<div class="card"><h3>{escape(name + label)}</h3><div class="pair">'
        f"{figure(path, caption)}{figure(heat, samples)}</div></div>"
    )


def _figures(found: SimilarityFigures) -> str:
    run = found.run
    settings = ", ".join(f"{k} {v}" for k, v in run.parameters.items() if v not in (None, ""))
    rate = None
    if found.threshold is not None:
        rate = percent(found.positive_rate(found.threshold))
    return paragraph(f"Measure {run.measure}: {settings}.") + facts(
        [
            ("Images compared", run.image_count),
            ("Pairs with a value", found.valid_pairs),
            ("Fraction of all pairs", percent(run.valid_share)),
            ("Threshold", found.threshold),
            ("Positive rate", rate),
            ("Computed in (s)", run.seconds),
        ]
    )


def _rates(found: SimilarityFigures, values: NDArray[np.float64]) -> str:
    own = [] if found.threshold is None else [found.threshold]
    rows: list[list[Cell]] = [
        [f"{t:.3g}", percent(found.positive_rate(t))]
        for t in sorted({*_COMMON_THRESHOLDS, *own})
        if found.comparable is None or t >= values.min()  # below, a graph does not tell
    ]
    middle = ", ".join(f"{np.quantile(values, q):.2f}" for q in (0.05, 0.5, 0.95))
    return (
        "<div>"
        + table("Fraction of valid pairs above a threshold", ["threshold", "positive rate"], rows)
        + paragraph(f"5th, 50th and 95th percentiles of similarity: {middle}.", "note")
        + "</div>"
    )


def _matrix(data: ReportData, found: SimilarityFigures, values: NDArray[np.float64]) -> str:
    labels = {m.image_id: m.label for m in data.cohort.members}
    order = matrix_order(found, [labels.get(i) for i in found.ids])
    square = np.ix_(order, order)
    span = float(values.min()), float(values.max())
    ordered = [labels.get(found.ids[k]) or "" for k in order]
    classes = [(name, ordered.count(name)) for name in dict.fromkeys(ordered)]
    shown = classes if any(labels.values()) and len(order) <= _MOST_ORDERED else []
    picture = matrix_picture(found.matrix[square], found.valid[square], span, shown)
    by_label = "label and, within each label, by " if any(labels.values()) else ""
    how = "import" if len(order) > _MOST_ORDERED else f"{by_label}similarity"
    borders = " Lines separate the labels." if len(shown) > 1 else ""
    caption = f"Similarity of all pairs; images are ordered by {how}. Grey: no value.{borders}"
    return "<h3>All pairs</h3>" + figure(picture, caption)


def matrix_order(found: SimilarityFigures, labels: Sequence[str | None]) -> NDArray[np.int64]:
    """Return an order of the images (N,): by label, within it alike images side by side."""
    if len(found.ids) > _MOST_ORDERED:
        return np.arange(len(found.ids))
    leaves = cluster_order(found.matrix, found.valid)
    names = np.array([labels[k] or "" for k in leaves])
    return np.asarray(leaves[np.argsort(names, kind="stable")], np.int64)


def top_pairs(found: SimilarityFigures, wanted: int = SHOWN_PAIRS) -> list[tuple[int, int]]:
    """Return the most alike pairs, the most alike first, each image in one pair at most."""
    rows, columns = np.triu_indices(len(found.ids), k=1)
    kept = found.valid[rows, columns]
    rows, columns = rows[kept], columns[kept]
    used: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for k in np.argsort(-found.matrix[rows, columns], kind="stable"):
        i, j = int(rows[k]), int(columns[k])
        if not used & {i, j}:
            pairs.append((i, j))
            used |= {i, j}
        if len(pairs) == wanted:
            break
    return pairs


def _pairs(data: ReportData, found: SimilarityFigures) -> str:
    members = {m.image_id: m for m in data.cohort.members}
    cards = ""
    for i, j in top_pairs(found):
        both = members.get(found.ids[i]), members.get(found.ids[j])
        sides = "".join(_side(data, m) for m in both if m is not None)
        title = f"Similarity {found.matrix[i, j]:.2f}"
        cards += f'<div class="card"><h3>{title}</h3><div class="pair">{sides}</div></div>'
    note = paragraph("The most similar pairs; each image appears at most once.", "note")
    html = f'<h3>Most similar by gaze</h3>{note}<div class="grid">{cards}</div>'
    return html + positive_pairs_html(data, found, _side)


def _side(data: ReportData, member: Member) -> str:
    name = data.called(member.image_id)
    caption = name + (f" · {member.label}" if member.label else "")
    try:
        image = presentation(member.presentation)
    except ReportError as error:
        return missing(str(error))
    if not member.readings:
        return figure(grey_picture(image, f"Image {name}"), caption)
    size = member.width, member.height
    alt = f"Image {name} with heat map of gaze"
    return figure(heat_picture(image, member.readings[0], *size, alt), caption)
