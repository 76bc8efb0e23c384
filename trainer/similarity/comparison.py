"""One comparison from gaze to matrix or graph: settings, features, pairs, each step with progress.

The command, the trainer and the report all compare through here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trainer.errors import SimilarityError
from trainer.similarity.approximate import Approximate, approximate_nearest
from trainer.similarity.base import CanvasParameters, Fitted, Measure, Similarity, Table, require
from trainer.similarity.cohort_pass import of_cohort
from trainer.similarity.dense import dense
from trainer.similarity.features import FeatureCache, feature_table
from trainer.similarity.graph import Graph, nearest_graph, sampled_threshold, threshold_graph
from trainer.similarity.items import (
    ItemSettings,
    chosen_readings,
    held_out_of,
    item_table,
    known_of,
    of_items,
    one_reading_each,
    settings_by_name,
    settings_of,
)
from trainer.similarity.pair_search import (
    FoundNearest,
    FoundPairs,
    Part,
    search_above,
    search_nearest,
)
from trainer.similarity.registry import MEASURES, find_measure
from trainer.similarity.sources import GazeList
from trainer.similarity.task_runner import Progress, TaskRunner, never, no_progress


@dataclass(frozen=True, slots=True)
class ComparisonControl:
    """What a comparison is given beside its settings: threads, listeners, a stop, a cache.

    Attributes
    ----------
    jobs
        Threads; 0 is one for each core.
    features_progress, pairs_progress
        Hear of readings whose features are done, and of pairs done.
    cancelled
        Asked some ten times a second.
    cache
        Where features are kept and found again.
    fitted
        What the measure learnt of a cohort before; None: it learns of this one.
    """

    jobs: int = 0
    features_progress: Progress = field(default=no_progress)
    pairs_progress: Progress = field(default=no_progress)
    cancelled: Callable[[], bool] = field(default=never)
    cache: FeatureCache | None = None
    fitted: Fitted | None = None


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
    control
        Threads, listeners, stop and cache.
    seconds
        That features took.
    fitted
        What the measure learnt of the cohort, where it has a second pass.
    """

    measure: Measure
    parameters: CanvasParameters
    items: ItemSettings
    gaze: GazeList
    table: Table
    control: ComparisonControl
    seconds: float
    fitted: Fitted | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """All settings by name, of the measure and of items."""
        return settings_by_name(self.measure, self.items, self.parameters)

    def matrix(self, *, by_dimension: bool = False) -> Similarity:
        """Return the matrix (N, N), or (N, N, D) by dimension."""
        start = time.perf_counter()
        require(
            bool(self.measure.dimensions) or not by_dimension,
            "dimensions",
            "left out: it has only one",
            self.measure.name,
        )
        runner = self._runner()
        pairs = dense(self.measure, self.table, self.parameters, runner, by_dimension=by_dimension)
        return Similarity(
            pairs.values,
            pairs.valid,
            self.measure.name,
            self.settings,
            self.seconds + time.perf_counter() - start,
        )

    def above(self, threshold: float) -> Graph:
        """Return all pairs above a threshold."""
        return threshold_graph(self.measure, self.table, self.parameters, threshold, self._runner())

    def above_rate(self, rate: float) -> Graph:
        """Return about the share `rate` of pairs that are most similar."""
        return self.above(self.threshold_of_rate(rate))

    def nearest(self, neighbours: int) -> Graph:
        """Return the most alike items of each."""
        require(neighbours >= 1, "top-k", "at least 1", neighbours)
        return nearest_graph(self.measure, self.table, self.parameters, neighbours, self._runner())

    def nearly_nearest(self, neighbours: int) -> Approximate:
        """Return nearly the most alike items of each, see `approximate_nearest`.

        Raises
        ------
        SimilarityError
            For a measure, or a way of counting readings, that is no inner product of vectors.
        """
        require(neighbours >= 1, "top-k", "at least 1", neighbours)
        able = ", ".join(name for name, measure in MEASURES.items() if measure.vectors)
        if not self.measure.vectors:
            raise SimilarityError(
                f"--approximate works with {able}; {self.measure.name} needs the exact search."
            )
        if self.items.combine == "max" and not one_reading_each(self.gaze):
            raise SimilarityError("--approximate combines readings by mean or first, not by max.")
        return approximate_nearest(self.table, neighbours, self._runner())

    def part_above(self, threshold: float, part: Part) -> FoundPairs:
        """Return what one part of `above` finds."""
        return search_above(
            self.measure, self.table, self.parameters, threshold, self._runner(), part
        )

    def part_nearest(self, neighbours: int, part: Part) -> FoundNearest:
        """Return what one part of `nearest` finds."""
        require(neighbours >= 1, "top-k", "at least 1", neighbours)
        return search_nearest(
            self.measure, self.table, self.parameters, neighbours, self._runner(), part
        )

    def threshold_of_rate(self, rate: float) -> float:
        """Return the threshold that about the share `rate` of pairs exceeds, by a sample."""
        quiet = replace(self._runner(), progress=no_progress)
        return sampled_threshold(self.measure, self.table, self.parameters, rate, quiet)

    def _runner(self) -> TaskRunner:
        return TaskRunner(self.control.jobs, self.control.pairs_progress, self.control.cancelled)


def prepare(
    measure: str, gaze: GazeList, settings: Mapping[str, Any], control: ComparisonControl
) -> Comparison:
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
    runner = TaskRunner(control.jobs, control.features_progress, control.cancelled)
    features = feature_table(chosen, counted.gazes, parameters, runner, control.cache)
    known, held = known_of(counted), held_out_of(counted)
    features, fitted = of_cohort(chosen, features, parameters, known, held, control.fitted)
    table: Table = features
    if not one_reading_each(counted):
        table = item_table(features, counted.owners, len(counted.ids))
        chosen = of_items(chosen, items.combine)
    seconds = time.perf_counter() - start
    return Comparison(chosen, parameters, items, counted, table, control, seconds, fitted)
