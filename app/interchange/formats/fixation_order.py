"""The order of fixations without times, from the column that counts them."""

from collections.abc import Mapping

import numpy as np

from app.interchange.foreign_reading import IntArray
from app.interchange.notes import Note, note
from app.interchange.tables import Table
from devices.gaze.errors import GazeFileError


def in_order(table: Table, columns: Mapping[str, str]) -> tuple[Table, list[Note]]:
    """Return the rows of one reading in the order of their count, and a note about it.

    A count that restarts with each frame of a stack gives the order within each: the frames keep
    the file's order.

    Raises
    ------
    GazeFileError
        If the count is missing in a row, or a number occurs twice.
    """
    column = columns["order"]
    counted = table.numbers(column)
    if not np.isfinite(counted).all():
        raise GazeFileError(
            f"{table.path}: `{column}` is empty in some rows, so their order is not known. Delete "
            "these rows, or the column if the rows are in order."
        )
    groups = _frame_runs(table, columns)
    if len(np.unique(np.column_stack([groups, counted]), axis=0)) < len(counted):
        raise GazeFileError(
            f"{table.path}: `{column}` has the same number twice in a reading: rows are "
            "duplicated, or several readings have the same name. Give the column that "
            "identifies readings with --columns reading=COLUMN."
        )
    if len(np.unique(counted)) == len(counted):
        groups = np.zeros(len(counted), np.int64)
    rows = np.lexsort((counted, groups))
    behind = int((rows != np.arange(len(rows))).sum())
    if not behind:
        return table, []
    return table.take(rows), [note("fixation-order", count=behind, column=column)]


def _frame_runs(table: Table, columns: Mapping[str, str]) -> IntArray:
    """Return, for each row (N,), in which run of one frame it is; one run without frames."""
    if "frame" not in columns:
        return np.zeros(len(table), np.int64)
    frames = np.nan_to_num(table.numbers(columns["frame"]), nan=-1.0)
    return np.cumsum(np.diff(frames, prepend=frames[:1]) != 0).astype(np.int64)
