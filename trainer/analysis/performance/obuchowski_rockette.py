"""Arms compared over readers and cases: Obuchowski and Rockette (1995), Hillis (2007, 2014).

The figure of each arm and reader (here its AUC) is a two-way table without repetition; cases make
its errors move together, by covariances from resampling them. Formulas: S. L. Hillis, "A
marginal-mean ANOVA approach for analyzing multireader multicase radiological imaging data",
Statistics in Medicine 33 (2014).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from trainer.analysis.performance.ratings import FloatArray
from trainer.errors import PerformanceError

LEVEL = 0.95
RANDOM = ("both", "readers", "cases")
_NO_VARIANCE = 1e-18
"""Below it a variance is rounding: nothing varied, which says nothing of other readers or cases."""


@dataclass(frozen=True, slots=True)
class Components:
    """Mean squares and covariances of a table of figures (I, J).

    Attributes
    ----------
    arm_square, interaction_square
        MS(T) and MS(T*R); NaN without two arms (and two readers).
    variance, cov1, cov2, cov3
        Means of the error covariances: one cell with itself; one reader, two arms; one arm, two
        readers; neither shared.
    """

    arm_square: float
    interaction_square: float
    variance: float
    cov1: float
    cov2: float
    cov3: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its standard error, degrees of freedom (inf: normal), interval and p.

    Interval and p are NaN where nothing varied: a width of 0 would say that all is known.
    """

    value: float
    standard_error: float
    df: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Arms compared.

    Attributes
    ----------
    f, ddf, p
        The global test of equal arms, ddf infinite with fixed readers; NaN with one arm.
    arms
        The mean over readers of each arm, each from that arm's data alone; p tests nothing: NaN.
    differences
        Of each pair of arms (i, j): the first less the second.
    """

    components: Components
    f: float
    ddf: float
    p: float
    arms: tuple[Estimate, ...]
    differences: dict[tuple[int, int], Estimate]


def compare_arms(figures: FloatArray, covariance: FloatArray, random: str = "both") -> Comparison:
    """Compare arms by a figure of each arm and reader.

    Parameters
    ----------
    figures
        Shape (I, J).
    covariance
        Shape (I J, I J), its rows as `figures` flattened.
    random
        What stands for a population: "both", "readers" (cases fixed) or "cases" (readers fixed).

    Raises
    ------
    PerformanceError
        Readers shall be random, and there is only one.
    """
    arms, readers = figures.shape
    if random not in RANDOM:
        raise ValueError(f"random is {random}; it must be one of {', '.join(RANDOM)}.")
    if readers < 2 and random != "cases":
        raise PerformanceError(
            "One reader does not allow conclusions about readers in general. Use --random cases, "
            "which treats only the cases as a sample."
        )
    parts = components(figures, covariance)
    f, ddf, scale = _test(parts, arms, readers, random)
    return Comparison(
        parts,
        f,
        ddf,
        _p_of_f(f, arms - 1, ddf),
        tuple(_arm(figures, covariance, i, random) for i in range(arms)),
        {
            (i, j): _estimate(
                float((figures[i] - figures[j]).mean()), float(np.sqrt(2 / readers * scale)), ddf
            )
            for i, j in combinations(range(arms), 2)
        },
    )


def components(figures: FloatArray, covariance: FloatArray) -> Components:
    """Return mean squares of the table and mean covariances by what two cells share."""
    arms, readers = figures.shape
    by_arm, by_reader = figures.mean(axis=1), figures.mean(axis=0)
    rest = figures - by_arm[:, None] - by_reader[None, :] + figures.mean()
    return Components(
        _square(readers * ((by_arm - by_arm.mean()) ** 2).sum(), arms - 1),
        _square((rest**2).sum(), (arms - 1) * (readers - 1)),
        *_mean_covariances(covariance, arms, readers),
    )


def _square(total: float, df: int) -> float:
    return float(total) / df if df else np.nan


def _mean_covariances(
    covariance: FloatArray, arms: int, readers: int
) -> tuple[float, float, float, float]:
    arm, reader = np.divmod(np.arange(arms * readers), readers)
    one_arm, one_reader = arm[:, None] == arm, reader[:, None] == reader

    def mean(where: FloatArray) -> float:
        return float(covariance[where].mean()) if where.any() else 0.0

    return (
        mean(one_arm & one_reader),
        mean(~one_arm & one_reader),
        mean(one_arm & ~one_reader),
        mean(~one_arm & ~one_reader),
    )


def _test(parts: Components, arms: int, readers: int, random: str) -> tuple[float, float, float]:
    """Return F, its denominator's degrees of freedom, and the denominator."""
    shared = max(readers * (parts.cov2 - parts.cov3), 0.0)
    if random == "cases":
        per_reader = (readers - 1) * max(parts.cov2 - parts.cov3, 0.0)
        scale, ddf = parts.variance - parts.cov1 + per_reader, np.inf
    else:
        scale = parts.interaction_square + (shared if random == "both" else 0.0)
        own = parts.interaction_square**2 / ((arms - 1) * (readers - 1)) if arms > 1 else np.nan
        ddf = scale**2 / own if own else np.inf
    f = parts.arm_square / scale if scale > _NO_VARIANCE else np.nan
    return float(f), float(ddf), float(scale)


def _arm(figures: FloatArray, covariance: FloatArray, arm: int, random: str) -> Estimate:
    """Return the mean of one arm, from its own readers and covariances alone."""
    readers = figures.shape[1]
    own = slice(arm * readers, (arm + 1) * readers)
    block = covariance[own, own]
    variance, _, cov2, _ = _mean_covariances(block, 1, readers)
    if random == "cases":
        scale, df = variance + (readers - 1) * max(cov2, 0.0), np.inf
    else:
        square = float(figures[arm].var(ddof=1))
        scale = square + (max(readers * cov2, 0.0) if random == "both" else 0.0)
        df = scale**2 / (square**2 / (readers - 1)) if square else np.inf
    found = _estimate(float(figures[arm].mean()), float(np.sqrt(scale / readers)), float(df))
    # A share cannot leave [0, 1], so its interval does not either.
    low, high = np.clip((found.low, found.high), 0.0, 1.0)
    return Estimate(found.value, found.standard_error, found.df, float(low), float(high), np.nan)


def _estimate(value: float, standard_error: float, df: float) -> Estimate:
    if not standard_error**2 > _NO_VARIANCE:
        return Estimate(value, standard_error, df, np.nan, np.nan, np.nan)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, df)) * standard_error
    p = 2 * float(stats.t.sf(abs(value) / standard_error, df))
    return Estimate(value, standard_error, df, value - reach, value + reach, p)


def _p_of_f(f: float, df: int, ddf: float) -> float:
    if df < 1:
        return np.nan
    return float(stats.chi2.sf(f * df, df) if np.isinf(ddf) else stats.f.sf(f, df, ddf))
