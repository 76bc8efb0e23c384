"""Files of gaze become finished readings: read, matched to images, written; each row accounted for.

Gaze and fixations of one reading may lie in two files (REFLACX, EGD-CXR): they become one reading.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.images.frames import write_looked_at
from app.interchange.foreign_reading import RowCounts, SourceFile, SourceReading
from app.interchange.formats.delimited import read_csv
from app.interchange.formats.egd_cxr import read_egd_cxr
from app.interchange.formats.mcgip import read_mcgip, read_mcgip_mammo
from app.interchange.formats.miceye import read_miceye
from app.interchange.formats.reflacx import read_reflacx
from app.interchange.formats.tobii import read_tobii_tsv
from app.interchange.formats.xdf import read_xdf
from app.interchange.matching import Matcher
from app.interchange.options import ImportOptions
from app.interchange.store import ImportedReading, ReadingStore
from devices.gaze.errors import GazeFileError
from migrations.study.folder import Study
from migrations.study.names import short_name

Read = Callable[[Path, ImportOptions], SourceFile]
FORMATS: dict[str, tuple[Read, tuple[str, ...], str]] = {
    "miceye": (read_miceye, ("csv",), "MicEye's csv, version 1 and 2"),
    "mcgip": (read_mcgip, ("json", "csv"), "gaze JSON of the released McGIP/GzPT code"),
    "mcgip-mammo": (read_mcgip_mammo, ("csv",), "mammography csv of the released code"),
    "reflacx": (read_reflacx, ("csv",), "REFLACX gaze.csv, fixations.csv"),
    "egd-cxr": (read_egd_cxr, ("csv",), "EGD-CXR eye_gaze.csv, fixations.csv"),
    "csv": (read_csv, ("csv", "txt", "tsv"), "any csv or tsv, by a mapping of its columns"),
    "tsv": (read_csv, ("tsv", "csv", "txt"), "the same as csv"),
    "tobii-tsv": (read_tobii_tsv, ("tsv",), "Tobii Pro Lab's data export"),
    "xdf": (read_xdf, ("xdf", "xdfz"), "LabRecorder's XDF: gaze streams and markers"),
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file of gaze.

    Attributes
    ----------
    status
        "accepted" (at least one new reading), "known", or "refused".
    dropped
        Reason → rows.
    lacks
        What the source does not say.
    readings
        One for each reading that was written or known.
    """

    path: Path
    status: str
    reason: str = ""
    rows_read: int = 0
    rows_kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    readings: tuple[ImportedReading, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON, and what readings and images are called."""
        table = asdict(self) | {"path": str(self.path)}
        for row in table["readings"]:
            row["reading_name"] = short_name(row["reading_id"])
            row["image_name"] = short_name(row["image_id"])
        return table | {"rows_dropped": sum(self.dropped.values())}


@dataclass(slots=True)
class _Loaded:
    """A file and its readings, the rows of each counted."""

    path: Path
    file: SourceFile


def import_gaze(
    study: Study,
    format_name: str,
    paths: Sequence[Path],
    options: ImportOptions,
    matcher: Matcher,
) -> Iterable[FileReport]:
    """Import files of gaze one by one, giving each report as soon as it stands.

    Parameters
    ----------
    format_name
        One of `FORMATS`.
    paths
        Files; folders are walked for files of the format.
    matcher
        Knows which image a name means.

    Yields
    ------
    FileReport
        One per file. A file that cannot be understood is refused, and the others go on.
    """
    read, endings, _ = FORMATS[format_name]
    store = ReadingStore.of(study, format_name)
    waiting: list[_Loaded] = []
    for path in files_of(paths, endings):
        try:
            waiting.append(_Loaded(path, read(path, options)))
        except GazeFileError as error:
            yield FileReport(path, "refused", str(error))
    waiting = _joined(waiting)
    try:
        for loaded in waiting:
            yield _stored(store, matcher, loaded, options)
    finally:
        store.close()
        write_looked_at(study)


def files_of(paths: Iterable[Path], endings: Sequence[str]) -> list[Path]:
    """Return the files meant: folders are walked for names with one of the endings.

    Raises
    ------
    GazeFileError
        If a path does not exist.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower().lstrip(".") in endings)
            found.update(dict.fromkeys(p for p in inside if not p.name.startswith("metadata_")))
        elif path.exists():
            found[path] = None
        else:
            raise GazeFileError(f"{path} does not exist; name files of gaze or folders of them.")
    return list(found)


def _stored(
    store: ReadingStore, matcher: Matcher, loaded: _Loaded, options: ImportOptions
) -> FileReport:
    counts = loaded.file.counts
    done, lacks, barred = [], dict[str, None](), ""
    for reading in loaded.file.readings:
        image = matcher.find(reading.image)
        if image is None:
            counts.dropped[f"no image {reading.image} in the study"] += _rows(reading, counts)
            continue
        try:
            done.append(store.add(reading, image, reading.reader or options.reader))
        except GazeFileError as error:
            counts.dropped[str(error)] += _rows(reading, counts)
            barred = str(error)
            continue
        lacks.update(dict.fromkeys(reading.lacks))
    status = _status(done)
    reason = "" if done else barred or _why(loaded.file)
    return FileReport(
        loaded.path, status, reason, counts.read, counts.kept, dict(counts.dropped), tuple(lacks),
        loaded.file.notes, tuple(done),
    )  # fmt: skip


def _status(done: Sequence[ImportedReading]) -> str:
    if any(r.status == "accepted" for r in done):
        return "accepted"
    return "known" if done else "refused"


def _why(file: SourceFile) -> str:
    if not file.readings:
        return "; ".join(("no reading in it", *file.notes))
    names = sorted({reading.image for reading in file.readings})
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"the study has no image {', '.join(names[:3])}{more}: import the images in the same run "
        "with --images FOLDER, or name them with --match CSV (columns image, sha256)"
    )


def _rows(reading: SourceReading, counts: RowCounts) -> int:
    if reading.rows is not None:
        return reading.rows
    found = reading.fixations
    own = len(reading.points_canvas) or (0 if found is None else len(found.start_us))
    return min(own, counts.kept)


def _joined(loaded: list[_Loaded]) -> list[_Loaded]:
    """Give gaze the fixations of the same reading from another file; see the module's text."""
    gaze = {_key(item, r): (item, r) for item in loaded for r in item.file.readings if _is_gaze(r)}
    for item in loaded:
        kept = []
        for reading in item.file.readings:
            partner = gaze.get(_key(item, reading))
            if _is_gaze(reading) or partner is None or partner[0] is item:
                kept.append(reading)
                continue
            owner, sample_reading = partner
            joined = replace(sample_reading, fixations=reading.fixations)
            readings = owner.file.readings
            readings[[r is sample_reading for r in readings].index(True)] = joined
            gaze[_key(owner, joined)] = (owner, joined)
        if len(kept) < len(item.file.readings):
            count = len(item.file.readings) - len(kept)
            note = f"{count} reading(s) joined with their gaze from another file"
            item.file = replace(item.file, readings=kept, notes=(*item.file.notes, note))
    return loaded


def _key(item: _Loaded, reading: SourceReading) -> tuple[str, str, str]:
    own = str(reading.details.get("id") or reading.details.get("session") or "")
    return reading.image, own, reading.reader or ""


def _is_gaze(reading: SourceReading) -> bool:
    return len(reading.points_canvas) > 0
