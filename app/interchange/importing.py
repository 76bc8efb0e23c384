"""Files of gaze become finished readings: read, matched, written; every row accounted for.

A reading is stored before the next one is read, so that an import of any size needs the memory of
one reading, and a later import recognises what a stopped one has stored. Gaze and fixations of one
reading may be in two files (REFLACX, EGD-CXR): they become one reading.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.images.frames import write_looked_at
from app.interchange.bounds import check
from app.interchange.foreign_reading import RowCounts, SourceFile, SourceReading
from app.interchange.formats.registry import FORMATS
from app.interchange.import_reports import FileReport, ImportProgress
from app.interchange.matching import Matcher, leaf
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions
from app.interchange.parsing import read_here
from app.interchange.pseudonyms import Pseudonyms
from app.interchange.store import ImportedReading, ReadingStore
from devices.gaze.errors import GazeFileError
from migrations.study.files_below import files_below
from migrations.study.folder import Study

ReadFile = Callable[[str, Path, ImportOptions], SourceFile]
Key = tuple[str, str, str]


OnProgress = Callable[[ImportProgress], None]


def import_gaze(
    study: Study,
    format_name: str,
    paths: Sequence[Path],
    options: ImportOptions,
    matcher: Matcher,
    *,
    read: ReadFile = read_here,
    on_progress: OnProgress = lambda progress: None,
) -> Generator[FileReport, None, None]:
    """Import files of gaze one by one, yielding each report when it is final.

    Parameters
    ----------
    format_name
        One of `FORMATS`.
    paths
        Files; folders are searched for files of the format.
    matcher
        Determines which image a name means.
    read
        Reads a file: here, or in a separate process (`ReadingProcess.read`).
    on_progress
        Called for each reading that was stored.

    Yields
    ------
    FileReport
        One per file. A file that cannot be read is refused, and the others continue.
    """
    chosen = FORMATS[format_name]
    files = files_of(paths, chosen.endings, chosen.names)
    run = _Run(
        ReadingStore.of(study, format_name), matcher, Pseudonyms.of(study), options, len(files),
        on_progress,
    )  # fmt: skip
    try:
        for together in _sets(files, chosen.pairs_by):
            yield from run.files(together, lambda path: read(format_name, path, options))
    finally:
        run.store.close()
        write_looked_at(study)


def files_of(
    paths: Iterable[Path], endings: Sequence[str], names: Sequence[str] = ()
) -> list[Path]:
    """Return the files meant: folders are searched for names with one of the endings.

    If `names` are given, a folder's other files are skipped: they are not gaze.

    Raises
    ------
    GazeFileError
        If a path does not exist, or a folder cannot be read.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = [p for p in _below(path) if p.suffix.lower().lstrip(".") in endings]
            inside = [p for p in inside if not names or p.name in names]
            found.update(dict.fromkeys(p for p in inside if not p.name.startswith("metadata_")))
        elif path.exists():
            found[path] = None
        else:
            raise GazeFileError(
                f"{path} does not exist. Name gaze files or folders that contain them."
            )
    return list(found)


def _below(folder: Path) -> list[Path]:
    try:
        return files_below(folder)
    except OSError as error:
        raise GazeFileError(
            f"{error.filename} cannot be read: {error.strerror}. Make it readable, or name the "
            "files of gaze themselves."
        ) from error


def _sets(files: Sequence[Path], pairs_by: str) -> Iterator[list[Path]]:
    """Yield files that may contain gaze and fixations of the same readings, fixations first."""
    if not pairs_by:
        yield from ([path] for path in files)
        return
    together: dict[Path | str, list[Path]] = {}
    for path in files:
        alike: dict[str, Path | str] = {"folder": path.parent, "folder name": path.parent.name}
        together.setdefault(alike.get(pairs_by, ""), []).append(path)
    for paths in together.values():
        yield sorted(paths, key=lambda path: not _says_fixations(path))


@dataclass(slots=True)
class _Tally:
    """What happened to the readings of a file so far."""

    done: list[ImportedReading] = field(default_factory=list)
    lacks: dict[str, None] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    barred: str = ""
    missing: dict[str, None] = field(default_factory=dict)
    rows: int = 0


@dataclass(slots=True)
class _Run:
    """One import."""

    store: ReadingStore
    matcher: Matcher
    pseudonyms: Pseudonyms
    options: ImportOptions
    file_count: int
    on_progress: OnProgress
    number: int = 0

    def files(
        self, paths: Sequence[Path], read: Callable[[Path], SourceFile]
    ) -> Iterator[FileReport]:
        """Import files that belong together: fixations wait for their gaze."""
        waiting: dict[Key, tuple[Path, SourceReading]] = {}
        held: dict[Path, SourceFile] = {}
        joined: dict[tuple[Path, Key], str] = {}
        for path in paths:
            try:
                file = read(path)
                if len(paths) > 1 and _says_fixations(path):
                    own = list(file.readings)
                    held[path] = replace(file, readings=own)
                    waiting.update(_unmistakable(path, own))
                    continue
            except GazeFileError as error:
                self.number += 1
                yield FileReport(path, "refused", str(error))
                continue
            yield self._file(path, file, waiting, joined)
        for path, file in held.items():
            keys = map(_key, file.readings)
            taken = {key: joined[path, key] for key in keys if (path, key) in joined}
            left = [reading for reading in file.readings if _key(reading) not in taken]
            file.notes.extend([note("joined", count=len(taken))] if taken else [])
            report = self._file(path, replace(file, readings=left), {}, joined)
            if taken:  # it became what the gaze became that it was joined with
                status = _became({report.status, *taken.values()})
                reason = report.reason if left or status == "refused" else ""
                report = replace(report, status=status, reason=reason)
            yield report

    def _file(
        self, path: Path, file: SourceFile, waiting: dict[Key, tuple[Path, SourceReading]],
        joined: dict[tuple[Path, Key], str],
    ) -> FileReport:  # fmt: skip
        self.number += 1
        tally, began, error = _Tally(), time.monotonic(), ""
        try:
            for own in file.readings:
                reading, source = own, None
                if waiting and len(own.points_canvas) and _key(own) in waiting:
                    source, partner = waiting.pop(_key(own))
                    reading = replace(own, fixations=partner.fixations)
                status = self._reading(reading, file.counts, tally)
                if source is not None:
                    joined[source, _key(own)] = status
                self.on_progress(
                    ImportProgress(
                        path, self.number, self.file_count, len(tally.done), tally.rows,
                        file.counts.read, time.monotonic() - began,
                    )
                )  # fmt: skip
        except GazeFileError as stopped:
            error = str(stopped)
            if tally.done:
                error += " The readings before it are in the study."
        notes = [*dict.fromkeys(file.notes), *tally.notes.values()]
        reason = error or ("" if tally.done else tally.barred or _why(tally, file.notes))
        counts = file.counts
        return FileReport(
            path, _became({r.status for r in tally.done}), reason, counts.read, counts.kept,
            dict(counts.dropped), tuple(tally.lacks), tuple(notes), tuple(tally.done),
        )  # fmt: skip

    def _reading(self, reading: SourceReading, counts: RowCounts, tally: _Tally) -> str:
        """Store a reading; return "accepted", "known" or "refused"."""
        rows = _rows(reading, counts)
        tally.rows += rows
        try:
            image = self.matcher.find(check(reading).image)
            if image is None:
                tally.missing[leaf(reading.image)] = None
                counts.dropped[f"no image {leaf(reading.image)} in the study"] += rows
                return "refused"
            result = self.store.add(reading, image, self._reader(reading))
        except GazeFileError as error:
            counts.dropped[str(error)] += rows
            tally.barred = tally.barred or str(error)
            return "refused"
        tally.done.append(result)
        tally.lacks.update(dict.fromkeys(reading.lacks))
        for each in result.notes:
            tally.notes.setdefault(each.code, each)
        return result.status

    def _reader(self, reading: SourceReading) -> str:
        if reading.participant and self.options.participant != "none":
            return self.pseudonyms(reading.participant)
        return reading.reader or self.options.reader


def _says_fixations(path: Path) -> bool:
    return "fixation" in path.stem.lower()


def _became(readings: Collection[str]) -> str:
    """Return what became of a file, by what became of its readings."""
    return next((status for status in ("accepted", "known") if status in readings), "refused")


def _why(tally: _Tally, notes: Sequence[Note]) -> str:
    if not tally.missing:
        return "; ".join(("it contains no readings", *(each.text for each in notes)))
    names = sorted(tally.missing)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"the study has no image {', '.join(names[:3])}{more}: import the images in the same "
        "run with --images FOLDER, or identify them with --match CSV (columns image, sha256)"
    )


def _rows(reading: SourceReading, counts: RowCounts) -> int:
    if reading.rows is not None:
        return reading.rows
    found = reading.fixations
    own = len(reading.points_canvas) or (0 if found is None else len(found.start_us))
    return min(own, counts.kept)


def _unmistakable(
    path: Path, readings: Sequence[SourceReading]
) -> dict[Key, tuple[Path, SourceReading]]:
    """Return the readings of a file by their keys, without keys that several share."""
    shared = Counter(map(_key, readings))
    return {_key(each): (path, each) for each in readings if shared[_key(each)] == 1}


def _key(reading: SourceReading) -> Key:
    named = (reading.own_id, reading.details.get("id"), reading.details.get("session"))
    own = str(next((name for name in named if name), ""))
    return reading.image, own, reading.reader or reading.participant
