"""The cells of the study: what is crossed, and how each is named."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

VARIANTS = {"tima-k20": ("tima", {"min_samples_divisor": 20})}
"""Measures with other than their default parameters, by the name the study gives them."""
METHODS = ("byol", "mocov2", "simsiam")
DEGREES = (0.0, 0.5, 1.0)
SEEDS = 5
SEEDS_OF_CONDITIONS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One pre-training and its probe.

    Attributes
    ----------
    method, pairs
        As `RunConfig` names them.
    g
        Degree to which gaze carries the class; None where gaze plays no part.
    measure, positive_rate, threshold, drop
        What makes a pair of gaze, and GzPT's chance to drop it.
    readers, accuracy_deg, loss
        How many read each image; the tracker's constant error and share of time lost.
    read
        Share of the images that were read at all.
    seed
        Of phantoms, readers, weights and views.
    table
        "main", "conditions" or "measures": where it is reported.
    """

    method: str = "byol"
    pairs: str = "none"
    g: float | None = None
    measure: str = "moment_sequence"
    positive_rate: float | None = 0.05
    threshold: float | None = None
    drop: float = 0.5
    readers: int = 1
    accuracy_deg: float = 0.5
    loss: float = 0.02
    read: float = 1.0
    seed: int = 0
    table: str = "main"

    @property
    def uses_gaze(self) -> bool:
        """Whether pairs come from gaze."""
        return self.pairs in ("mcgip", "gzpt")

    @property
    def comparison(self) -> tuple[str, dict[str, Any]]:
        """Measure and its parameters."""
        return VARIANTS.get(self.measure, (self.measure, {}))

    @property
    def key(self) -> dict[str, Any]:
        """What makes a cell the same as another, whatever table reports it."""
        fields = {k: v for k, v in asdict(self).items() if k != "table"}
        if self.read == 1.0:  # as cells were kept before there was this field
            del fields["read"]
        return fields if self.uses_gaze else {k: fields[k] for k in ("method", "pairs", "seed")}

    @property
    def name(self) -> str:
        """What `--only` is matched against."""
        name = f"{self.method}/{self.pairs}"
        if not self.uses_gaze:
            return name
        rule = f"rate={self.positive_rate:g}" if self.threshold is None else f"t={self.threshold:g}"
        return (
            f"{name}/g={self.g:g}/{self.measure}/{rule}/p={self.drop:g}/readers={self.readers}"
            f"/accuracy={self.accuracy_deg:g}/loss={self.loss:g}"
        ) + (f"/read={self.read:g}" if self.read < 1 else "")


def all_cells(seeds: int) -> Iterator[Cell]:
    """Yield the cells of all seeds: the first seed of everything first, the main table before."""
    for seed in range(seeds):
        yield from (replace(cell, seed=seed) for cell in main_cells())
        if seed < SEEDS_OF_CONDITIONS:
            yield from (replace(cell, seed=seed) for cell in condition_cells())
            yield from (replace(cell, seed=seed) for cell in measure_cells())


def main_cells() -> Iterator[Cell]:
    """Yield method × policy × degree; BYOL, the most telling, first."""
    for method in METHODS:
        yield Cell(method, "none")
        yield Cell(method, "label")
        for pairs in ("gzpt", "mcgip"):
            for g in reversed(DEGREES):
                yield Cell(method, pairs, g, drop=0.5 if pairs == "gzpt" else 0.0)


def condition_cells() -> Iterator[Cell]:
    """Yield BYOL with GzPT at g = 1, one condition changed at a time."""
    base = Cell("byol", "gzpt", 1.0, table="conditions")
    for rate in (0.01, 0.02, 0.1, 0.2):
        yield replace(base, positive_rate=rate)
    for threshold in (0.8, 0.9):
        yield replace(base, positive_rate=None, threshold=threshold)
    for drop in (0.0, 0.25, 0.75, 0.9):
        yield replace(base, drop=drop)
    for readers in (2, 3):
        yield replace(base, readers=readers)
    for read in (0.25, 0.5):
        yield replace(base, read=read)
    for accuracy in (1.0, 2.0, 3.0):
        yield replace(base, accuracy_deg=accuracy)
    for loss in (0.1, 0.3):
        yield replace(base, loss=loss)


def measure_cells() -> Iterator[Cell]:
    """Yield BYOL with GzPT at g = 1 for the other measures."""
    base = Cell("byol", "gzpt", 1.0, table="measures")
    for measure in ("tima", "tima-k20", "moment", "dhash", "density", "multimatch"):
        yield replace(base, measure=measure)
