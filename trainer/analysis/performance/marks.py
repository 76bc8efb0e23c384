"""Marks of a study's readers held against its lesions: LROC, FROC and AFROC by reader and arm."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer.analysis.areas import Area
from trainer.analysis.performance.localisation import (
    UNMARKED,
    ScoredCase,
    afroc_area,
    afroc_curve,
    froc_curve,
    judged,
    lroc_area,
    lroc_curve,
    score_case,
    wafroc_area,
    wafroc_curve,
)
from trainer.analysis.performance.study_ratings import Decision, by_reader
from trainer.analysis.reported import Reported, lesions_of
from trainer.errors import AnalysisError

Row = dict[str, Any]


def localisation_of(
    decisions: Sequence[Decision],
    marks: Mapping[str, Sequence[Reported]],
    areas: Mapping[str, Sequence[Area]],
    radius_px: float,
) -> dict[str, list[Row]]:
    """Return areas under LROC, AFROC and weighted AFROC by arm and reader, their points and marks.

    Keys `localisation`, `localisation_curves` and `marks`, ready for JSON.

    Parameters
    ----------
    marks
        Of each reading, by its name.
    areas
        Of each image; those with `lesion` are to be found.
    radius_px
        A mark finds a lesion whose border its centre is within this of, image pixels.

    Raises
    ------
    AnalysisError
        Lesions are keypoints, which have no inside, and the radius is 0.
    """
    points = [a.name for own in areas.values() for a in own if a.lesion and a.kind == "keypoint"]
    if points and not radius_px:
        raise AnalysisError(
            f"{len(points)} of the lesions in the table are keypoints (such as {points[0]!r}). Use "
            "--radius-px to say how close a mark must be to find one."
        )
    figures, curves = list[Row](), list[Row]()
    scored = scored_cases(decisions, marks, areas, radius_px)
    for (arm, reader), by_case in scored.items():
        cases = list(by_case.values())
        who = {"arm": arm, "reader": reader}
        figures.append(
            who
            | {
                "afroc_area": _known(afroc_area(cases)),
                "wafroc_area": _known(wafroc_area(cases)),
                "lroc_area": _known(lroc_area(cases)),
                "lesions": sum(len(case.lesions) for case in cases),
                "lesions_found": sum(r > UNMARKED for case in cases for r in case.lesions),
                "false_marks_per_case": float(np.mean([len(case.elsewhere) for case in cases])),
            }
        )
        for name, curve in (
            ("froc", froc_curve(cases)), ("afroc", afroc_curve(cases)),
            ("wafroc", wafroc_curve(cases)), ("lroc", lroc_curve(cases)),
        ):  # fmt: skip
            curves += [
                who | {"curve": name, "x": float(x), "y": float(y), "threshold": _known(least)}
                for x, y, least in zip(*curve, strict=True)
            ]
    judgements = _judgements(decisions, marks, areas, radius_px)
    return {"localisation": figures, "localisation_curves": curves, "marks": judgements}


def _judgements(
    decisions: Sequence[Decision],
    marks: Mapping[str, Sequence[Reported]],
    areas: Mapping[str, Sequence[Area]],
    radius_px: float,
) -> list[Row]:
    """Return a row for each mark that counts: what it found, if anything."""
    return [
        {
            "reading": d.reading, "reader": d.reader, "arm": d.arm, "case": d.case,
            "image": mark.image, "frame": mark.frame,
            "x": float(mark.centre[0, 0]), "y": float(mark.centre[0, 1]), "rating": mark.rating,
            "lesion": "" if found is None else lesions[found].name,
            "lesions_in_case": len(lesions),
        }
        for d in decisions
        for lesions in [_lesions(areas, d.images)]
        for mark, found in judged(marks.get(d.reading, ()), lesions, radius_px)
    ]  # fmt: skip


def scored_cases(
    decisions: Sequence[Decision],
    marks: Mapping[str, Sequence[Reported]],
    areas: Mapping[str, Sequence[Area]],
    radius_px: float,
) -> dict[tuple[str, str], dict[str, ScoredCase]]:
    """Return each case judged, by arm and reader."""
    return {
        who: {
            d.case: score_case(marks.get(d.reading, ()), _lesions(areas, d.images), radius_px)
            for d in own
        }
        for who, own in by_reader(decisions).items()
    }


def speaking_alike(
    decisions: Sequence[Decision], areas: Mapping[str, Sequence[Area]]
) -> tuple[list[Decision], list[str]]:
    """Return the decisions on cases whose truth and lesions agree, and what the others were.

    A positive case without a lesion would pass for a normal one, and its marks for false.
    """
    kept = [d for d in decisions if d.truth == bool(_lesions(areas, d.images))]
    notes = []
    for truth, words in (
        (True, "positive without a lesion in the table of areas"),
        (False, "negative with a lesion in the table of areas"),
    ):
        cases = {d.case for d in decisions if d.truth is truth} - {d.case for d in kept}
        if cases:
            plural = "s" if len(cases) > 1 else ""
            notes.append(f"of the localisation, {len(cases)} case{plural} {words}")
    return kept, notes


def with_confidence(
    decisions: Sequence[Decision], marks: Mapping[str, Sequence[Reported]]
) -> tuple[list[Decision], list[str]]:
    """Return the decisions whose marks can be ranked, and how many others there are."""
    kept = [d for d in decisions if not any(np.isnan(m.rating) for m in marks.get(d.reading, ()))]
    lost = len(decisions) - len(kept)
    plural = "s" if lost > 1 else ""
    note = f"of the localisation, {lost} reading{plural} with a mark that has no confidence"
    return kept, [note] if lost else []


def marks_remark(marks: Mapping[str, Sequence[Reported]]) -> list[str]:
    """Return what is to be said where no mark has a confidence."""
    ratings = {mark.rating for own in marks.values() for mark in own}
    return ["no mark has a confidence, so all marks count equally"] if ratings == {1.0} else []


def _lesions(areas: Mapping[str, Sequence[Area]], images: Sequence[str]) -> list[Area]:
    return [area for image in images for area in lesions_of(areas, image)]


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
