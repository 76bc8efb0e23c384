"""The autopilot's own pseudonyms, kept separate from those of people."""

import re

from sqlalchemy import select

from app.errors import AppError
from app.recording.worklist import WorklistRow, worklist
from migrations.study.folder import Study
from migrations.study.processes import as_typed
from migrations.study.schema import Reader, new_id

_PREFIX = "AUTO-"
_CUT_OFF = ("interrupted", "open")


def autopilot_reader(study: Study, wanted: str | None = None) -> str:
    """Return the reader the autopilot reads as; a new one is marked as such, and consent follows.

    Unless one is named, this is the autopilot's reader who was interrupted, else the newest one
    with cases left, else a new one.

    Raises
    ------
    AppError
        If the study has no cases, or the name is a person's.
    """
    if not worklist(study, ""):
        raise AppError(
            as_typed(
                f"{study.folder} has no cases. Import some with python main.py import --study "
                f"{study.folder} FILES"
            )
        )
    readers = _readers(study)
    if wanted is not None:
        if not readers.get(wanted, True):
            raise AppError(
                f"{wanted} is a person's pseudonym, which the autopilot cannot use. Omit "
                "--reader, or give another one."
            )
        name = wanted
    else:
        own = [reader for reader, is_own in readers.items() if is_own]
        name = _unfinished(study, own) or _new_name(readers)
    if name not in readers:
        _write(study, name)
    return name


def _readers(study: Study) -> dict[str, bool]:
    """Return pseudonyms, oldest first, and whether each belongs to the autopilot."""
    with study.database.read() as session:
        rows = session.scalars(select(Reader).order_by(Reader.id)).all()
        return {row.pseudonym: bool(row.details.get("autopilot")) for row in rows}


def _unfinished(study: Study, own: list[str]) -> str | None:
    lists = [(name, worklist(study, name)) for name in reversed(own)]
    cut_off = next((name for name, rows in lists if _has(rows, *_CUT_OFF)), None)
    return cut_off or next((name for name, rows in lists if _has(rows, "to read")), None)


def _has(rows: list[WorklistRow], *states: str) -> bool:
    return any(row.state in states for row in rows)


def _new_name(readers: dict[str, bool]) -> str:
    numbers = [int(m[1]) for name in readers if (m := re.fullmatch(rf"{_PREFIX}(\d+)", name))]
    return f"{_PREFIX}{max(numbers, default=0) + 1}"


def _write(study: Study, name: str) -> None:
    with study.database.write() as session:
        session.add(Reader(id=new_id(), pseudonym=name, details={"autopilot": True}))
