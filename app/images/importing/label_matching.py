"""Which line of a csv of labels applies to which file.

A line means a file if its whole path is the end of the file's path. If several lines do, the
longest applies; a line that means several files applies to none of them. A line that names another
folder never means the file, however similar the rest: equal names in folders of other patients are
found on every CD and in every public collection.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.errors import ImportRefused
from app.images.importing.labels import LabelLine, LabelRow, LabelTable, path_parts, read_labels

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelMatches:
    """The lines of a csv, and the files they apply to.

    Attributes
    ----------
    files
        Those that were matched, in order.
    fitting
        For each line's parts, the files that it means, without duplicates.
    chosen
        By file, the longest line that means it.
    """

    table: LabelTable
    files: tuple[Path, ...]
    fitting: dict[Parts, tuple[Path, ...]]
    chosen: dict[Path, LabelLine]

    def row(self, path: Path) -> LabelRow:
        """Return what the csv says about a file; an empty row where it says nothing.

        Raises
        ------
        ImportRefused
            If its line means another file just as well: both are named.
        """
        line = self.chosen.get(path)
        if line is None:
            return LabelRow()
        if self.is_ambiguous(line):
            raise ImportRefused(self.ambiguity(line))
        return line.row

    def is_ambiguous(self, line: LabelLine) -> bool:
        """Whether a line means more than one file."""
        return len(self.fitting.get(line.parts, ())) > 1

    def ambiguity(self, line: LabelLine) -> str:
        """Return in words which files a line means, and what to do."""
        one, other, *more = self.fitting[line.parts]
        rest = f" and {len(more)} more" if more else ""
        return (
            f"line {line.number} of {self.table.path.name}, {line.image}, may mean {one} or "
            f"{other}{rest}; write more of the path in the csv"
        )


def match_labels(table: Path | LabelTable, files: Iterable[Path]) -> LabelMatches:
    """Match the lines of a csv with files.

    Parameters
    ----------
    table
        The csv, or its contents.
    files
        All files of the import: a line is ambiguous among those imported together.

    Raises
    ------
    LabelsError
        If the csv cannot be understood.
    """
    table = read_labels(table) if isinstance(table, Path) else table
    lines = {line.parts: line for line in table.lines}
    files = tuple(dict.fromkeys(files))
    fitting: dict[Parts, dict[str, Path]] = {}
    chosen: dict[Path, LabelLine] = {}
    for path in files:
        place = os.path.abspath(path)
        for parts in tails(path_parts(place)):
            if parts in lines:
                fitting.setdefault(parts, {}).setdefault(place, path)
                chosen.setdefault(path, lines[parts])
    named = {parts: tuple(places.values()) for parts, places in fitting.items()}
    return LabelMatches(table, files, named, chosen)


def tails(parts: Parts) -> Iterable[Parts]:
    """Return the ends of a path, the longest first.

    Examples
    --------
    >>> list(tails(("a", "b")))
    [('a', 'b'), ('b',)]
    """
    return (parts[start:] for start in range(len(parts)))
