"""Features of all readings on all cores, and those of a study kept between runs.

Kept under a hash of the gaze of each reading and of the parameters that shape features: what has
not changed is not computed again. The files lie in the study's `cache` and may be deleted.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from trainer.similarity.base import CanvasParameters, FeatureTable, Gaze, Measure
from trainer.similarity.task_runner import TaskRunner

_VERSION = 1
"""Raised when features come out otherwise for the same gaze and parameters."""


def feature_table(
    measure: Measure,
    gazes: Sequence[Gaze],
    parameters: CanvasParameters,
    runner: TaskRunner,
    cache: "FeatureCache | None" = None,
) -> FeatureTable:
    """Return the features of all readings; from the cache where it has them.

    Raises
    ------
    Cancelled
        Soon after the work was cancelled; what was computed by then is in the cache.
    """
    found: list[NDArray[Any] | None] = [None] * len(gazes)
    keys = cache.look_up(measure, gazes, parameters, found) if cache else ()
    missing = [i for i, features in enumerate(found) if features is None]

    def task(i: int) -> Callable[[], None]:
        def compute() -> None:
            found[i] = measure.features(gazes[i], parameters)

        return compute

    try:
        # One reading a task: an hour at 1,200 Hz takes seconds, and a stop must not wait for eight.
        runner.run(((task(i), 1) for i in missing), len(missing))
    finally:
        if cache and missing:
            cache.add(
                measure, parameters, {keys[i]: f for i in missing if (f := found[i]) is not None}
            )
    return FeatureTable.of([f for f in found if f is not None])


def gaze_hash(gaze: Gaze) -> str:
    """Return 32 hex digits of everything that features may look at."""
    digest = hashlib.sha256(repr((gaze.width, gaze.height, gaze.image_px_per_deg)).encode())
    parts = (gaze.points_image, gaze.time_us, gaze.fixations_image, gaze.fixation_us)
    for part in parts:
        digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
        digest.update(b"|")
    return digest.hexdigest()[:32]


class FeatureCache:
    """Features in files of a folder, one file for each measure and its parameters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look_up(
        self,
        measure: Measure,
        gazes: Sequence[Gaze],
        parameters: CanvasParameters,
        found: list[NDArray[Any] | None],
    ) -> list[str]:
        """Fill in what is known; return the key of each gaze."""
        keys = [gaze_hash(gaze) for gaze in gazes]
        known = _load(self.path(measure, parameters))
        for i, key in enumerate(keys):
            found[i] = known.get(key)
        return keys

    def add(
        self, measure: Measure, parameters: CanvasParameters, new: dict[str, NDArray[Any]]
    ) -> None:
        """Keep new features beside the known ones; a cache that cannot be written is no fault."""
        path = self.path(measure, parameters)
        known = {**_load(path), **new}
        if not known:
            return
        table = FeatureTable.of(list(known.values()))
        partial = path.with_suffix(".partial")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                np.savez(file, keys=np.array(list(known)), flat=table.flat, starts=table.starts)
            partial.replace(path)

    def path(self, measure: Measure, parameters: CanvasParameters) -> Path:
        """Return the file of a measure with parameters."""
        values = {k: v for k, v in asdict(parameters).items() if k not in measure.pair_parameters}
        brought = [measure.plug_in] if measure.plug_in else []
        text = json.dumps([_VERSION, measure.name, values, *brought], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._folder / f"{measure.name}-{digest}.npz"


def _load(path: Path) -> dict[str, NDArray[Any]]:
    """Return features by key; none where the file is missing or damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            keys, table = file["keys"], FeatureTable(file["flat"], file["starts"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}
    if len(keys) != len(table):
        return {}
    parts = (table.flat[a:b] for a, b in zip(table.starts, table.starts[1:], strict=False))
    return dict(zip((str(k) for k in keys), parts, strict=True))
