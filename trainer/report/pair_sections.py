"""What similarity tells of the cohort, and the pairs that pre-training draws together."""

from collections.abc import Callable
from html import escape

import numpy as np
from numpy.typing import NDArray

from migrations.study.evidence import HEADERS, kept_evidence
from trainer.data.cohort import Member
from trainer.report.data import ReportData, SimilarityFigures
from trainer.report.page import Cell, paragraph, percent, table
from trainer.similarity.findings import odd_ones

SHOWN_POSITIVE = 6
Side = Callable[[ReportData, Member], str]


def findings_html(data: ReportData, found: SimilarityFigures) -> str:
    """Return purity of the pairs, images that match everything or nothing, and the case's part."""
    if found.threshold is None:
        return ""
    html = "<h3>Findings</h3>" + _purity(data, found)
    odd = odd_ones(found.matrix, found.valid, found.ids, found.threshold, found.comparable)
    lines = [
        (odd.everything_count, "positive with more than half of all others: check their gaze",
         [f"{data.called(i)} ({share:.0%})" for i, share in odd.everything[:8]]),
        (odd.nothing_count, "without a positive pair: in training, they are paired only with "
            "themselves",
         [data.called(i) for i in odd.nothing[:8]]),
        (odd.without_value_count, "without a value: too little or no gaze",
         [data.called(i) for i in odd.without_value[:8]]),
    ]  # fmt: skip
    for count, why, named in lines:
        if count:
            what = "image" if count == 1 else "images"
            html += paragraph(f"{count} {what} {why} ({', '.join(named)}{'…' * (count > 8)}).")
    return html + _case_split(data, found)


def evidence_html(found: SimilarityFigures) -> str:
    """Return what each measure carries on the cohort, where the measure was chosen by it."""
    evidence = kept_evidence(found.run.details)
    if evidence is None:
        return ""
    rows: list[list[Cell]] = [list(cells) for cells in evidence.table()]
    judged = (
        f"{evidence.readings} readings of {evidence.images} images, {evidence.labelled_images} of "
        f"them with a label. Positive pairs: {evidence.rule}. {evidence.note} Purity: how often "
        "positive pairs of different images share a label, relative to chance (1). Separation: "
        "the probability that two readers are more similar on the same image than on different "
        "images (0.5: no information). The 95 % intervals hold for all measures jointly."
    )
    caption = "Evidence for each measure"
    return paragraph(evidence.reason) + table(caption, HEADERS, rows) + paragraph(judged, "note")


def _purity(data: ReportData, found: SimilarityFigures) -> str:
    """Return how many positive pairs share a label, against pairs drawn at random."""
    labels = {m.image_id: m.label or "" for m in data.cohort.members}
    own = np.array([labels.get(i, "") for i in found.ids])
    first, second = np.triu_indices(len(own), k=1)
    known = (own[first] != "") & (own[second] != "") & found.valid[first, second]
    if not known.any() or found.threshold is None:
        return ""
    same = own[first] == own[second]
    positive = (found.matrix[first, second] > found.threshold) & known
    rows: list[list[Cell]] = [
        ["positive pairs", int(positive.sum()), _share(same[positive])],
        ["all pairs", int(known.sum()), _share(same[known])],
    ]
    caption = (
        "Pair purity: share of pairs whose images have the same label (labels were not used "
        "to make pairs)"
    )
    return table(caption, ["pairs of labelled images", "number", "same label"], rows)


def _share(same: NDArray[np.bool_]) -> str | None:
    return percent(float(same.mean())) if len(same) else None


def _case_split(data: ReportData, found: SimilarityFigures) -> str:
    findings = found.run.details.get("findings") or {}
    split = findings.get("case_split")
    if not isinstance(split, dict):
        return ""
    html = paragraph(
        f"Readings of the same image by {split['who']} have a similarity of "
        f"{split['within_mean']:.2f} on average, readings of different images by "
        f"{split['between_mean']:.2f}; the pair from the same image is more similar in "
        f"{split['separation']:.0%} of comparisons (50 % would mean that gaze does not depend on "
        "the image)."
    )
    by_readers = split.get("by_readers") or []
    if data.share or not by_readers:
        return html
    rows: list[list[Cell]] = [[a, b, within, between, n] for a, b, within, between, n in by_readers]
    head = ["reader", "reader", "same image", "other images", "pairs from the same image"]
    return html + table("Similarity between readers", head, rows)


def drawn_pairs(found: SimilarityFigures, wanted: int = SHOWN_POSITIVE) -> list[tuple[int, int]]:
    """Return some positive pairs (i < j), drawn evenly from all of them by a fixed seed."""
    if found.threshold is None:
        return []
    first, second = np.triu_indices(len(found.ids), k=1)
    positive = (found.matrix[first, second] > found.threshold) & found.valid[first, second]
    at = np.flatnonzero(positive)
    chosen = np.sort(np.random.default_rng(0).permutation(at)[:wanted])
    return [(int(first[k]), int(second[k])) for k in chosen]


def positive_pairs_html(data: ReportData, found: SimilarityFigures, side: Side) -> str:
    """Return positive pairs as pictures with heat maps, drawn at random: what training sees."""
    pairs = drawn_pairs(found)
    if not pairs:
        return ""
    members = {m.image_id: m for m in data.cohort.members}
    cards = ""
    for i, j in pairs:
        both = members.get(found.ids[i]), members.get(found.ids[j])
        sides = "".join(side(data, m) for m in both if m is not None)
        title = escape(f"Similarity {found.matrix[i, j]:.2f}")
        cards += f'<div class="card"><h3>{title}</h3><div class="pair">{sides}</div></div>'
    note = paragraph(
        "A random sample of all pairs above the threshold: these are the pairs that pre-training "
        "draws together, including poor ones.",
        "note",
    )
    return f'<h3>Positive pairs</h3>{note}<div class="grid">{cards}</div>'
