"""The cells: 75 pre-trainings, written down before any of the methods was."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

READ = 0.8
"""Share of the images that are read in most cells: a fifth has no gaze."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One pre-training and its probe.

    Attributes
    ----------
    method
        "plain" (BYOL without pairs), "gzpt", "soft" (pairs weighted by similarity and
        agreement), "predicted" (gzpt, and pairs for unread images from a predictor), or
        "trajectory" (BYOL without pairs, and the next fixated patch's latent).
    g
        Degree to which gaze carries the class; None where gaze plays no part.
    read
        Share of the images that were read.
    order
        Of the fixations that `trajectory` learns from: "gaze", "shuffled" (the same places in
        another order) or "blocks" (random places).
    seed
        Of phantoms, readers, weights and views.
    """

    method: str = "plain"
    g: float | None = None
    read: float = READ
    order: str = "gaze"
    seed: int = 0

    @property
    def key(self) -> dict[str, Any]:
        """What makes a cell the same as another."""
        return asdict(self)

    @property
    def name(self) -> str:
        """What it is called, less its seed."""
        if self.g is None:
            return self.method
        order = "" if self.method != "trajectory" else f"/{self.order}"
        return f"{self.method}/g={self.g:g}/read={self.read:g}{order}"


_GZPT = Cell("gzpt", g=1.0)
_PREDICTED = Cell("predicted", g=1.0, read=0.1)
_TRAJECTORY = Cell("trajectory", g=1.0)

PLAN: tuple[tuple[Cell, int], ...] = (
    # What the bars need: five seeds.
    (Cell(), 5),
    (_GZPT, 5),
    (Cell("soft", g=1.0), 5),
    (_TRAJECTORY, 5),
    (_PREDICTED, 5),
    (Cell("soft", g=0.0), 5),
    (replace(_TRAJECTORY, g=0.0), 5),
    (replace(_PREDICTED, g=0.0), 5),
    (replace(_TRAJECTORY, order="shuffled"), 5),
    (replace(_TRAJECTORY, order="blocks"), 5),
    (replace(_GZPT, read=0.1), 5),
    (replace(_GZPT, g=0.0), 5),
    # The middle degree and the learning curve: three.
    (Cell("soft", g=0.5), 3),
    (replace(_GZPT, g=0.5), 3),
    (replace(_TRAJECTORY, g=0.5), 3),
    (replace(_GZPT, read=0.3), 3),
    (replace(_PREDICTED, read=0.3), 3),
)
"""Each cell, the most telling first, and how many seeds it has."""


def all_cells() -> Iterator[Cell]:
    """Yield every cell: the first seed of everything first, so that a cut study is even."""
    for seed in range(max(seeds for _, seeds in PLAN)):
        for cell, seeds in PLAN:
            if seed < seeds:
                yield replace(cell, seed=seed)
