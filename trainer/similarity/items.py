"""From readings to items (images): how one image that was read several times counts.

By default two images are as alike as the mean over all pairs of their readings ("mean"): no reader
counts more than another, and one odd reading is outvoted. "max" takes the most alike pair, "first"
the first reading of each image; with one reader named, that reader's readings alone count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import SimilarityError
from trainer.similarity.base import (
    CanvasParameters,
    Compare,
    FeatureTable,
    Known,
    Measure,
    Pairs,
    by_name,
    require_one_of,
)
from trainer.similarity.registry import make_parameters
from trainer.similarity.sources import GazeList

COMBINE = ("mean", "max", "first")


@dataclass(frozen=True, slots=True)
class ItemSettings:
    """How readings count for items.

    Attributes
    ----------
    combine
        "mean", "max" or "first", over the valid pairs of readings.
    reader
        Pseudonym of the one reader who counts; empty: all of them.
    """

    combine: str = "mean"
    reader: str = ""

    def __post_init__(self) -> None:
        require_one_of(COMBINE, "combine", self.combine)

    @classmethod
    def split(cls, settings: Mapping[str, Any]) -> tuple["ItemSettings", dict[str, Any]]:
        """Return these settings, and those that are left for the measure."""
        left = dict(settings)
        mine = {name: str(left.pop(name)) for name in ("combine", "reader") if name in left}
        return cls(**mine), left


def settings_of(measure: str, settings: Mapping[str, Any]) -> tuple[ItemSettings, CanvasParameters]:
    """Return the settings of items and of a measure out of one list by name.

    Raises
    ------
    SimilarityError
        For a name that neither has, or a value out of range.
    """
    items, left = ItemSettings.split(settings)
    return items, make_parameters(measure, left)


def settings_by_name(
    measure: Measure, items: ItemSettings, parameters: CanvasParameters
) -> dict[str, Any]:
    """Return all settings by name, as results carry them."""
    return {**by_name(measure, parameters), **asdict(items)}


def chosen_readings(gaze_list: GazeList, items: ItemSettings) -> GazeList:
    """Return the readings that count.

    Raises
    ------
    SimilarityError
        If the reader who is to count is not there.
    """
    keep = np.ones(len(gaze_list.gazes), bool)
    if items.reader:
        if items.reader not in gaze_list.readers:
            known = ", ".join(sorted(set(gaze_list.readers))) or "this gaze names none"
            raise SimilarityError(f"There is no reader {items.reader!r}. Readers: {known}.")
        keep = np.array([reader == items.reader for reader in gaze_list.readers])
    if items.combine == "first":
        kept = np.flatnonzero(keep)
        first = np.unique(gaze_list.owners[kept], return_index=True)[1]
        keep = np.isin(np.arange(len(keep)), kept[first])
    places = np.flatnonzero(keep)
    return replace(
        gaze_list,
        gazes=[gaze_list.gazes[i] for i in places],
        owners=gaze_list.owners[places],
        readers=tuple(gaze_list.readers[i] for i in places) if gaze_list.readers else (),
    )


@dataclass(frozen=True, slots=True)
class ItemTable:
    """Features of the readings of N items.

    Attributes
    ----------
    readings
        Of R readings.
    starts
        Shape (N + 1,): item i has readings starts[i] to starts[i + 1].
    """

    readings: FeatureTable
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return N."""
        return len(self.starts) - 1

    def part(self, first: int, end: int) -> "ItemTable":
        """Return items first … end − 1, without a copy."""
        starts = self.starts[first : end + 1]
        return ItemTable(self.readings.part(int(starts[0]), int(starts[-1])), starts - starts[0])

    def take(self, items: NDArray[np.int64]) -> "ItemTable":
        """Return some items, copied."""
        readings = [np.arange(self.starts[i], self.starts[i + 1]) for i in items]
        starts = np.concatenate(([0], np.cumsum([len(r) for r in readings]))).astype(np.int64)
        flat = np.concatenate([*readings, np.empty(0, np.int64)])
        return ItemTable(self.readings.take(flat), starts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of features of each item (N,)."""
        total = np.concatenate(([0], np.cumsum(self.readings.lengths)))
        return np.diff(total[self.starts])


def item_table(readings: FeatureTable, owners: NDArray[np.int64], count: int) -> ItemTable:
    """Return the table of `count` items; `owners` (R,) ascends."""
    return ItemTable(readings, np.searchsorted(owners, np.arange(count + 1)).astype(np.int64))


def of_items(measure: Measure, combine: str) -> Measure:
    """Return a measure of items out of one of readings; an item is alike to itself by 1."""

    def over(similarity: Compare) -> Compare:
        def compare(a: ItemTable, b: ItemTable, parameters: Any) -> Pairs:
            pairs = similarity(a.readings, b.readings, parameters)
            return combined(pairs, a.starts, b.starts, combine)

        return compare

    by_dimension = measure.by_dimension and over(measure.by_dimension)
    return replace(
        measure, similarity=over(measure.similarity), by_dimension=by_dimension, diagonal=1.0
    )


def combined(
    pairs: Pairs, rows: NDArray[np.int64], columns: NDArray[np.int64], combine: str
) -> Pairs:
    """Combine pairs of readings into pairs of items.

    Parameters
    ----------
    pairs
        Of R with C readings, values (R, C) or (R, C, D).
    rows, columns
        Shapes (A + 1,) and (B + 1,): where the readings of each item begin; those without one are
        alike to none (0, invalid).
    combine
        "mean" or "max" over the valid pairs ("first" has one pair each).
    """
    has = np.diff(rows) > 0, np.diff(columns) > 0
    shape = (len(has[0]), len(has[1]), *pairs.values.shape[2:])
    values, valid = np.zeros(shape), np.zeros(shape[:2], bool)
    if not (has[0].any() and has[1].any()):
        return Pairs(values, valid)
    starts = rows[:-1][has[0]], columns[:-1][has[1]]
    deep = (...,) + (None,) * (pairs.values.ndim - 2)
    counted = _blocks(np.add, pairs.valid.astype(np.float64), *starts)
    if combine == "max":
        best = np.where(pairs.valid[deep], pairs.values, -np.inf)
        found = np.where(counted[deep] > 0, _blocks(np.maximum, best, *starts), 0.0)
    else:
        sums = _blocks(np.add, np.where(pairs.valid[deep], pairs.values, 0.0), *starts)
        found = sums / np.maximum(counted, 1)[deep]
    values[np.ix_(*has)], valid[np.ix_(*has)] = found, counted > 0
    return Pairs(values, valid)


def _blocks(
    operation: np.ufunc, values: NDArray[Any], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[Any]:
    across = operation.reduceat(values, columns, axis=1)
    return np.asarray(operation.reduceat(across, rows, axis=0))


def known_of(gaze_list: GazeList) -> Known:
    """Return what is known of each reading; one of nobody known is somebody's of its own."""
    owners = gaze_list.owners
    images = codes_of(gaze_list.cases or gaze_list.ids)[owners]
    named = gaze_list.readers or ("",) * len(owners)
    readers = codes_of([f"r {name}" if name else f"? {k}" for k, name in enumerate(named)])
    labels = np.array(gaze_list.labels or ("",) * len(gaze_list.ids), np.str_)
    return Known(images, readers, np.where(labels == "", -1, codes_of(labels.tolist()))[owners])


def held_out_of(gaze_list: GazeList) -> list[bool]:
    """Return for each reading whether nothing may be learnt of it; empty: of all."""
    held = gaze_list.held_out
    return [held[owner] for owner in gaze_list.owners] if held else []


def codes_of(names: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each name, the same for the same."""
    return np.unique(np.array(list(names), np.str_), return_inverse=True)[1].astype(np.int64)


def one_reading_each(gaze_list: GazeList) -> bool:
    """Return whether items and readings are the same list."""
    return np.array_equal(gaze_list.owners, np.arange(len(gaze_list.ids)))


def owners_of(counts: Sequence[int]) -> NDArray[np.int64]:
    """Return the owner of each reading (R,) from how many each item has."""
    return np.repeat(np.arange(len(counts)), counts)
