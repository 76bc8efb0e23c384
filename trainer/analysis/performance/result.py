"""What is said of a reader study: the comparison of its arms, and figures beside it."""

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from trainer.analysis.performance.agreement import cohen_kappa, fleiss_kappa, icc
from trainer.analysis.performance.auc import roc_curve
from trainer.analysis.performance.covariance import COVARIANCES, auc_matrix, bootstrap
from trainer.analysis.performance.decisions import by_order, decision_rows, within_reader
from trainer.analysis.performance.obuchowski_rockette import (
    Comparison,
    Estimate,
    compare_arms,
)
from trainer.analysis.performance.ratings import FloatArray, Ratings, ratings_of
from trainer.analysis.performance.study_ratings import StudyRatings
from trainer.errors import PerformanceError


def performance_of(ratings: Ratings, random: str = "both", seed: int = 0) -> dict[str, Any]:
    """Return everything `performance.json` holds, NaN and infinity as None.

    Parameters
    ----------
    random
        What stands for a population: "both", "readers" or "cases".
    seed
        Of the bootstrap covariance alone.
    """
    figures = auc_matrix(ratings)
    found = _compared(ratings, figures, random)
    everything: dict[str, Any] = plain(
        found
        | {
            "random": random,
            "design": design_of(ratings),
            "arms": list(ratings.arms),
            "readers": list(ratings.readers),
            "cases": {
                "positive": int(ratings.truth.sum()),
                "negative": int((~ratings.truth).sum()),
            },
            "auc_by_reader": [
                {"arm": arm, "reader": reader, "auc": figures[i, j]}
                for i, arm in enumerate(ratings.arms)
                for j, reader in enumerate(ratings.readers)
            ],
            "agreement": agreement_of(ratings),
            "analyses": _analyses(ratings, figures, seed),
        }
    )
    return everything


def performance_of_study(
    found: StudyRatings, random: str = "both", seed: int = 0
) -> dict[str, Any]:
    """Return the same of a study's answers, with what readers decided.

    Raises
    ------
    PerformanceError
        Naming the reader who has read only positive or only negative cases.
    """
    everything: dict[str, Any] = plain(
        performance_of(ratings_of(found.ratings), random, seed)
        | {
            "decisions": decision_rows(found.decisions),
            "within_reader": within_reader(found.repeats),
            "by_order": by_order(found.decisions),
            "left_out": list(found.notes),
            "remarks": list(found.remarks),
            "answers": [
                {
                    "reading": d.reading,
                    "reader": d.reader,
                    "arm": d.arm,
                    "case": d.case,
                    "truth": int(d.truth),
                    "positive": int(d.positive),
                    "rating": d.rating,
                }
                for d in found.decisions
            ],
        }
    )
    return everything


def design_of(ratings: Ratings) -> str:
    """Return what the cases share: factorial, nested, or partially paired."""
    there = ~np.isnan(ratings.rating)
    if there.all():
        return "factorial: every reader read every case in every arm"
    by_reader, by_arm = there.any(axis=0).sum(axis=0), there.any(axis=1).sum(axis=0)
    if (by_reader == 1).all():
        return "cases nested within readers"
    if (by_arm == 1).all():
        return "cases nested within arms"
    return "partially paired: some ratings are missing"


def curves_of(ratings: Ratings) -> list[dict[str, Any]]:
    """Return every operating point of every reader and arm."""
    rows = []
    for i, arm in enumerate(ratings.arms):
        for j, reader in enumerate(ratings.readers):
            there = ~np.isnan(ratings.rating[i, j])
            points = roc_curve(ratings.rating[i, j][there], ratings.truth[there])
            rows += [
                {"arm": arm, "reader": reader, "threshold": t, "false_positive_rate": x,
                 "true_positive_rate": y}
                for x, y, t in zip(*points, strict=True)
            ]  # fmt: skip
    return rows


def agreement_of(ratings: Ratings) -> list[dict[str, Any]]:
    """Return how readers agree in each arm, over the cases that all of them rated."""
    rows: list[dict[str, Any]] = []
    for arm, given in zip(ratings.arms, ratings.rating, strict=True):
        shared = given[:, ~np.isnan(given).any(axis=0)]
        pairs = list(combinations(range(len(ratings.readers)), 2))
        rows.append(
            {
                "arm": arm,
                "cases": shared.shape[1],
                "fleiss_kappa": fleiss_kappa(shared),
                "icc_2_1": icc(shared),
                "weighted_kappa": [
                    {
                        "readers": [ratings.readers[a], ratings.readers[b]],
                        "quadratic": cohen_kappa(shared[a], shared[b], "quadratic"),
                    }
                    for a, b in pairs
                ],
            }
        )
    return rows


def _analyses(ratings: Ratings, figures: FloatArray, seed: int) -> list[dict[str, Any]]:
    """Return the comparison by every covariance and every choice of what is random."""
    rows = []
    for name, covariance_of in COVARIANCES.items():
        try:
            covariance = bootstrap(ratings, seed) if name == "bootstrap" else covariance_of(ratings)
        except PerformanceError:
            continue
        for random in ("both", "readers", "cases"):
            try:
                found = compare_arms(figures, covariance, random)
            except PerformanceError:
                continue
            rows.append({"covariance": name, "random": random} | headline(found))
    return rows


def _compared(ratings: Ratings, figures: FloatArray, random: str) -> dict[str, Any]:
    """Return the headline; of a study too small to compare its areas, and why it is no more."""
    try:
        return headline(compare_arms(figures, COVARIANCES["jackknife"](ratings), random))
    except PerformanceError as error:
        names = ("F", "ddf", "p", "difference", "low", "high", "p_of_difference", "components")
        return {
            "auc": [float(area) for area in figures.mean(axis=1)],
            "auc_interval": [[None, None]] * len(figures),
            **dict.fromkeys(names),
            "not_compared": str(error),
        }


def headline(found: Comparison) -> dict[str, Any]:
    """Return the keys that every comparison has; one pair of arms stands by itself."""
    pairs = list(found.differences.values())
    return {
        "auc": [arm.value for arm in found.arms],
        "auc_interval": [[arm.low, arm.high] for arm in found.arms],
        "F": found.f,
        "ddf": found.ddf,
        "p": found.p,
        "difference": _one_or_all(pairs, "value"),
        "low": _one_or_all(pairs, "low"),
        "high": _one_or_all(pairs, "high"),
        "p_of_difference": _one_or_all(pairs, "p"),
        "components": asdict(found.components),
    }


def _one_or_all(pairs: list[Estimate], what: str) -> float | list[float] | None:
    values = [getattr(pair, what) for pair in pairs]
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def plain(value: Any) -> Any:
    """Return the same in what JSON can hold."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
