"""A first pass over all rows of a file, so that everything inferred rests on the whole of it.

`survey` reads every row once and keeps little: which rows each reading spans, every word of a
validity column, and sample rows for judging numbers. `streamed` reads the rows again and yields
each reading after its last row, so that memory holds only the open readings, never the whole file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.interchange.number_text import MixedNumbers, NumberStyle, style_of, with_groups
from app.interchange.rows import RowSource
from app.interchange.tables import Key, Table, key_columns, keys_of
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

_PIECE, _PIECES = 100, 2000
_STYLE_CELLS = 2000
MOST_READINGS = 1_000_000
MOST_WORDS = 64


@dataclass(slots=True)
class Survey:
    """Results of the first pass.

    Attributes
    ----------
    rows
        Number of rows.
    last_row
        Key of a reading → index of its last row.
    words
        Column → its values, at most `MOST_WORDS`.
    sample
        Rows from all over the file, in runs of consecutive rows.
    pieces
        Index of the first row of each run in the sample.
    style
        How numbers are written.
    """

    rows: int = 0
    last_row: dict[Key, int] = field(default_factory=dict)
    words: dict[str, set[str]] = field(default_factory=dict)
    sample: Table | None = None
    pieces: list[int] = field(default_factory=list)
    style: NumberStyle = field(default_factory=NumberStyle)


def survey(
    source: RowSource,
    keys: Sequence[str | None],
    words: Sequence[str] = (),
    numeric: Sequence[str] = (),
) -> Survey:
    """Look at every row once.

    Parameters
    ----------
    keys
        Columns that identify readings.
    words
        Columns of which all values are needed.
    numeric
        Columns of numbers, which show how numbers are written.

    Raises
    ------
    GazeFileError
        If there are no rows, numbers contradict each other, or there are too many readings.
    """
    found = Survey(words={name: set() for name in words})
    places = key_columns(source, keys)
    sample = Table(source.path, source.names, [], [])
    cells: list[str] = []
    dotted: list[str] = []
    for batch in source.batches():
        for i, key in enumerate(keys_of(batch.rows, places), found.rows):
            found.last_row[key] = i
        if len(found.last_row) > MOST_READINGS:
            raise GazeFileError(f"{source.path} would be more than {MOST_READINGS} readings.")
        _add_words(found, source, batch.rows)
        cells += _cells_with(",", source, batch.rows, numeric, _STYLE_CELLS - len(cells))
        cells += _cells_with(" ", source, batch.rows, numeric, _STYLE_CELLS - len(cells))
        cells += _cells_with("'", source, batch.rows, numeric, _STYLE_CELLS - len(cells))
        dotted += _cells_with(".", source, batch.rows, numeric, _STYLE_CELLS - len(dotted))
        if len(found.pieces) < _PIECES:
            count = _PIECE if found.pieces else len(batch.rows)
            found.pieces.append(len(sample.rows))
            sample.rows.extend(batch.rows[:count])
            sample.lines.extend(batch.lines[:count])
        found.rows += len(batch.rows)
    if not found.rows:
        raise GazeFileError(f"{source.path} has a header but no rows.")
    try:
        columns = [sample.text(name) for name in numeric]
        found.style = with_groups(style_of(cells + dotted), columns)
    except MixedNumbers as error:
        raise GazeFileError(f"{source.path} contains {error}.") from error
    found.sample = Table(sample.path, sample.names, sample.rows, sample.lines, found.style)
    return found


def _add_words(found: Survey, source: RowSource, rows: list[list[str]]) -> None:
    for name, known in found.words.items():
        place = source.names.index(name)
        if len(known) <= MOST_WORDS:
            known.update({row[place].strip() for row in rows})


def _cells_with(
    mark: str, source: RowSource, rows: list[list[str]], numeric: Sequence[str], wanted: int
) -> list[str]:
    """Return some cells of the number columns that contain a mark."""
    found: list[str] = []
    for name in numeric if wanted > 0 else ():
        place = source.names.index(name)
        found += [cell for row in rows if mark in (cell := row[place])][:wanted]
    return found


def streamed(
    source: RowSource,
    found: Survey,
    keys: Sequence[str | None],
) -> Iterator[tuple[Key, Table]]:
    """Yield the rows of each reading after its last one."""
    places = key_columns(source, keys)
    waiting: dict[Key, Table] = {}
    index = 0
    for batch in source.batches():
        done: list[Key] = []
        for key, row, line in zip(
            keys_of(batch.rows, places), batch.rows, batch.lines, strict=True
        ):
            own = waiting.get(key)
            if own is None:
                own = waiting[key] = Table(source.path, source.names, [], [], found.style)
            own.rows.append(row)
            own.lines.append(line)
            if found.last_row[key] == index:
                done.append(key)
            index += 1
        for key in done:
            yield key, waiting.pop(key)


def steps(table: Table, pieces: Sequence[int], name: str) -> FloatArray:
    """Return the steps above 0 between neighbouring numbers of a column, within each run."""
    values = table.numbers(name)
    found = [
        np.diff(values[first:end])
        for first, end in zip(pieces, [*pieces[1:], len(values)], strict=True)
    ]
    all_steps = np.concatenate(found) if found else np.empty(0)
    return all_steps[np.isfinite(all_steps) & (all_steps > 0)]
