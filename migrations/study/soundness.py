"""Is a study sound? What is damaged, what is left over, and where it is moved: `db check`.

Nothing is ever deleted here. Leftovers are moved on request, into a folder of the study from which
they can be moved back.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import exc, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.export_manifest import MANIFEST
from migrations.study.names import short_name
from migrations.study.processes import is_abandoned
from migrations.study.schema import Image, Reading, TrainingRun, ViewEvent, utc_now
from migrations.study.seal.check import SealFault, other_time_fault, seal_faults
from migrations.study.stored_chunks import ChunkFault, gaze_faults

Severity = Literal["damage", "leftover", "note"]
SET_ASIDE = "set-aside"
"""The folder in the study into which a repair moves leftovers."""
IMAGE_FILES = ("stored.npy", "display.json", "presentation.png")
UNFINISHED = (".incoming-*", ".archive-*", "*.partial*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found.

    Attributes
    ----------
    severity
        "damage": data are lost. "leftover": a file or folder that belongs to nothing. "note":
        nothing is lost, but something is inconsistent.
    text
        What is wrong, and where.
    path
        What a repair moves; None where it moves nothing.
    image_id
        For an image's folder without a row: its id, which a repair looks up once more.
    """

    severity: Severity
    text: str
    path: Path | None = None
    image_id: str = ""


def database_findings(database: Database) -> Iterator[Finding]:
    """Yield what is wrong with the rows: the file itself, references, every chunk of gaze."""
    for problem in database.check():
        yield Finding("damage", problem)
    yield from _of_seals(database)
    try:
        with database.read() as rows:
            for fault in gaze_faults(rows):
                yield _of_gaze(fault)
            yield from _of_readings(rows)
    except (exc.SQLAlchemyError, ValueError, TypeError) as error:
        # A damaged page can return anything; what cannot even be read is damage, not a bug.
        yield Finding("damage", f"the gaze cannot be read completely: {error}")


def folder_findings(folder: Path, database: Database, backups: Path) -> Iterator[Finding]:
    """Yield rows without files, files without rows, and the remains of killed programs."""
    with database.read() as rows:
        image_ids = set(rows.scalars(select(Image.id)))
        run_rows = rows.execute(select(TrainingRun.metrics_path, TrainingRun.id)).all()
    runs = {str(path): str(run_id) for path, run_id in run_rows}
    yield from _of_images(folder / "images", image_ids)
    yield from _of_runs(folder, runs)
    yield from _of_exports(folder / "exports")
    yield from _unfinished(folder, backups)


def set_aside(folder: Path, database: Database, findings: Iterable[Finding]) -> list[Path]:
    """Move leftovers into a new folder of `set-aside`; return their new paths.

    An import in progress commits its row in the transaction in which it names its folder: while the
    lock is held, a folder without a row belongs to no one.

    Raises
    ------
    DatabaseError
        If the lock is not available.
    OSError
        If something cannot be moved.
    """
    target = folder / SET_ASIDE / utc_now().replace(":", "").replace(".", "-")
    moved = []
    with database.write() as rows:
        for finding in findings:
            if finding.path is None or not finding.path.exists():
                continue
            if finding.image_id and rows.get(Image, finding.image_id) is not None:
                continue
            moved.append(_moved(finding.path, folder, target))
    return moved


def _moved(path: Path, folder: Path, target: Path) -> Path:
    inside = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
    place = target / inside
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.rename(place)
    return place


def other_time_finding(database: Database) -> Finding | None:
    """Return the finding where the record is not the one that this computer knows at this path."""
    if database.path is None:
        return None
    with database.read() as rows:
        driver = rows.connection().connection.driver_connection
        fault = other_time_fault(driver, database.path)
    return None if fault is None else _sealed(fault)


def _sealed(fault: SealFault) -> Finding:
    return Finding("note" if fault.is_note else "damage", f"sealed record: {fault.text}")


def _of_seals(database: Database) -> Iterator[Finding]:
    """Yield what differs from what was sealed; a server's rows are protected by its roles."""
    if database.path is None:
        return
    with database.read() as rows:
        driver = rows.connection().connection.driver_connection
        for fault in seal_faults(driver, database.path):
            yield _sealed(fault)


def _of_gaze(fault: ChunkFault) -> Finding:
    named = ", ".join(f"reading {short_name(i)} ({i})" for i in fault.reading_ids)
    severity: Severity = "damage" if fault.is_loss else "note"
    return Finding(severity, f"{named or 'gaze outside readings'}: {fault.text}")


def _of_readings(rows: OrmSession) -> Iterator[Finding]:
    """Yield finished readings without views, figures or a rating, which every one should have."""
    viewed = select(ViewEvent.reading_id).distinct()
    columns = Reading.id, Reading.sample_count, Reading.verdict, Reading.id.in_(viewed)
    for reading_id, samples, verdict, has_views in rows.execute(
        select(*columns).where(Reading.state == "finished").order_by(Reading.id)
    ):
        name = f"reading {short_name(reading_id)} ({reading_id})"
        if samples is None or verdict is None:
            text = "it is finished, but its samples were never counted and rated"
            yield Finding("note", f"{name}: {text}")
        if samples and not has_views:
            text = "no view of it is stored, so it is unknown which image its gaze fell on"
            yield Finding("damage", f"{name}: {text}")


def _of_images(images: Path, ids: set[str]) -> Iterator[Finding]:
    for image_id in sorted(ids):
        missing = [n for n in IMAGE_FILES if not (images / image_id / n).is_file()]
        if missing:
            name = f"image {short_name(image_id)} ({image_id})"
            yield Finding("damage", f"{name}: {', '.join(missing)} is missing. Import it again.")
    for found in _inside(images):
        if found.is_dir() and found.name not in ids and not found.name.startswith("."):
            text = f"{found} contains an image that is not in the database"
            yield Finding("leftover", text, found, image_id=found.name)


def _of_runs(folder: Path, runs: dict[str, str]) -> Iterator[Finding]:
    for path, run_id in sorted(runs.items()):
        if not (folder / path).parent.is_dir():
            yield Finding(
                "note", f"training run {short_name(run_id)}: its folder is missing ({path})"
            )
    known = {(folder / path).parent for path in runs}
    for found in _inside(folder / "runs"):
        if (found / "config.json").is_file() and found not in known:
            text = f"{found} contains a training run that is not in the database"
            yield Finding("leftover", text, found)


def _of_exports(exports: Path) -> Iterator[Finding]:
    """Yield the folders without the list that every export ends with."""
    for found in _inside(exports):
        if not found.is_dir() or found.name.startswith(".") or (found / MANIFEST).is_file():
            continue
        latest = max((found, *found.rglob("*")), key=_changed)
        if is_abandoned(latest):
            text = f"{found} contains an interrupted export: its list {MANIFEST} is missing"
            yield Finding("leftover", text, found)
        else:
            yield Finding("note", f"{found} is unfinished; an export may still be writing it")


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _unfinished(folder: Path, backups: Path) -> Iterator[Finding]:
    places = (folder, folder / "images", folder / "exports", folder / "runs", backups)
    for place in dict.fromkeys((*places, folder / "backups")):
        for path in sorted({p for pattern in UNFINISHED for p in place.glob(pattern)}):
            if is_abandoned(path):
                yield Finding(
                    "leftover",
                    f"{path} was left behind by a program that was killed or crashed",
                    path,
                )
            else:
                yield Finding("note", f"{path} is unfinished; a program may still be writing it")


def _inside(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(folder.iterdir())
    return []
