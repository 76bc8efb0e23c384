"""One comparison from gaze to matrix or graph: settings, features, pairs, each step with progress.

The command, the trainer and the report all compare through here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trainer.similarity.base import CanvasParameters, Measure, Similarity, Table, require
from trainer.similarity.dense import dense
from trainer.similarity.features import FeatureCache, feature_table
from trainer.similarity.graph import Graph, nearest_graph, sampled_threshold, threshold_graph
from trainer.similarity.items import (
    ItemSettings,
    chosen_readings,
    item_table,
    of_items,
    one_reading_each,
    said,
    settings_of,
)
from trainer.similarity.registry import find_measure
from trainer.similarity.sources import GazeList
from trainer.similarity.work_control import Progress, Work, never, no_progress


@dataclass(frozen=True, slots=True)
class Drive:
    """How a comparison is driven.

    Attributes
    ----------
    jobs
        Threads; 0 is one for each core.
    features_told, pairs_told
        Told of readings whose features are done, and of pairs done.
    cancelled
        Asked some ten times a second.
    cache
        Where features are kept and found again.
    """

    jobs: int = 0
    features_told: Progress = field(default=no_progress)
    pairs_told: Progress = field(default=no_progress)
    cancelled: Callable[[], bool] = field(default=never)
    cache: FeatureCache | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Items whose features are known, ready to be compared.

    Attributes
    ----------
    measure
        Of items, or of readings where each item has one.
    parameters, items
        Settings of the measure and of how readings count.
    gaze
        The readings that count.
    table
        Their features.
    drive
        How the work goes.
    seconds
        That features took.
    """

    measure: Measure
    parameters: CanvasParameters
    items: ItemSettings
    gaze: GazeList
    table: Table
    drive: Drive
    seconds: float

    @property
    def settings(self) -> dict[str, Any]:
        """All settings by name, of the measure and of items."""
        return said(self.items, self.parameters)

    def matrix(self, *, by_dimension: bool = False) -> Similarity:
        """Return the matrix (N, N), or (N, N, D) by dimension."""
        start = time.perf_counter()
        require(
            bool(self.measure.dimensions) or not by_dimension,
            "dimensions",
            "left out: it has one only",
            self.measure.name,
        )
        work = self._work()
        pairs = dense(self.measure, self.table, self.parameters, work, by_dimension=by_dimension)
        return Similarity(
            pairs.values,
            pairs.valid,
            self.measure.name,
            self.settings,
            self.seconds + time.perf_counter() - start,
        )

    def above(self, threshold: float) -> Graph:
        """Return all pairs above a threshold."""
        return threshold_graph(self.measure, self.table, self.parameters, threshold, self._work())

    def above_rate(self, rate: float) -> Graph:
        """Return about the share `rate` of pairs that are most alike."""
        quiet = replace(self._work(), progress=no_progress)
        threshold = sampled_threshold(self.measure, self.table, self.parameters, rate, quiet)
        return self.above(threshold)

    def nearest(self, neighbours: int) -> Graph:
        """Return the most alike items of each."""
        require(neighbours >= 1, "top-k", "at least 1", neighbours)
        return nearest_graph(self.measure, self.table, self.parameters, neighbours, self._work())

    def _work(self) -> Work:
        return Work(self.drive.jobs, self.drive.pairs_told, self.drive.cancelled)


def prepare(measure: str, gaze: GazeList, settings: Mapping[str, Any], drive: Drive) -> Comparison:
    """Compute what is needed of each reading.

    Raises
    ------
    SimilarityError
        For a measure, setting or reader that is not there.
    Cancelled
        If the user asked to stop.
    """
    start = time.perf_counter()
    chosen = find_measure(measure)
    items, parameters = settings_of(measure, settings)
    counted = chosen_readings(gaze, items)
    work = Work(drive.jobs, drive.features_told, drive.cancelled)
    features = feature_table(chosen, counted.gazes, parameters, work, drive.cache)
    table: Table = features
    if not one_reading_each(counted):
        table = item_table(features, counted.owners, len(counted.ids))
        chosen = of_items(chosen, items.combine)
    seconds = time.perf_counter() - start
    return Comparison(chosen, parameters, items, counted, table, drive, seconds)
