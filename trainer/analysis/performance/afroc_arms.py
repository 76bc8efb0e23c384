"""Arms compared by the area under the AFROC, as by that under the ROC: Obuchowski and Rockette.

D. P. Chakraborty, "Analysis of location specific observer performance data", Academic Radiology 13
(2006): the figure of merit is another, readers and cases vary as they do for the AUC.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.analysis.performance.localisation import ScoredCase, afroc_area, wafroc_area
from trainer.analysis.performance.obuchowski_rockette import compare_arms
from trainer.analysis.performance.ratings import FloatArray, in_order
from trainer.analysis.performance.result import headline
from trainer.errors import PerformanceError

Area = Callable[[Sequence[ScoredCase]], float]
AREAS: dict[str, Area] = {"afroc": afroc_area, "wafroc": wafroc_area}
Scored = Mapping[tuple[str, str], Mapping[str, ScoredCase]]


def compare_afroc(scored: Scored, random: str, area: str = "afroc") -> dict[str, Any]:
    """Return the comparison of arms by AFROC area, ready for JSON.

    Keys as of `performance.json`, `afroc` (or `wafroc`) in place of `auc`; `not_compared` where it
    cannot be.

    Parameters
    ----------
    scored
        Each case judged, by arm and reader.
    random
        What stands for a population: "both", "readers" or "cases".
    area
        "afroc", or "wafroc" in which every case with lesions weighs the same.
    """
    arms, readers = in_order(a for a, _ in scored), in_order(r for _, r in scored)
    about: dict[str, Any] = {"arms": list(arms), "readers": list(readers), "random": random}
    lacking = [(a, r) for a in arms for r in readers if (a, r) not in scored]
    if lacking:
        (arm, reader), *_ = lacking
        return about | {"not_compared": f"Reader {reader} has no case in arm {arm}."}
    area_of = AREAS[area]
    cells = [scored[a, r] for a in arms for r in readers]
    try:
        figures = np.array([area_of(list(cell.values())) for cell in cells])
        covariance = _jackknife(cells, area_of)
        found = compare_arms(figures.reshape(len(arms), len(readers)), covariance, random)
    except PerformanceError as error:
        return about | {"not_compared": str(error)}
    said = headline(found)
    return about | {area: said.pop("auc"), f"{area}_interval": said.pop("auc_interval")} | said


def _jackknife(cells: list[Mapping[str, ScoredCase]], area_of: Area) -> FloatArray:
    """Return covariances of the areas by leaving out one case at a time, (C, C).

    Raises
    ------
    PerformanceError
        Nothing is left without one of the cases.
    """
    names = sorted({name for cell in cells for name in cell})
    left_out = np.array(
        [
            [area_of([case for other, case in cell.items() if other != name]) for name in names]
            for cell in cells
        ]
    )
    if np.isnan(left_out).any():
        raise PerformanceError(
            "AFROC areas need two normal cases and two cases with lesions for every reader and arm."
        )
    spread = left_out - left_out.mean(axis=1, keepdims=True)
    there = np.array([[name in cell for name in names] for cell in cells], np.float64)
    covariance = (len(names) - 1) / len(names) * spread @ spread.T
    return np.where(there @ there.T > 0, covariance, 0.0)
