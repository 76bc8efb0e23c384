"""Erase a reader or a patient: rows, images, caches, the server's copies; name what is left."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import AppError
from app.images.dicom.deidentify import identifier_key, source_group
from app.recording.lock import StationLock
from app.sync.remaining_copies import Trace, find_traces
from app.sync.removed_files import remove_files
from migrations.study.database import Database
from migrations.study.erasure import compact, erase_again, erase_images, erase_reader
from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.folder import Study
from migrations.study.names import LENGTH, Names, names_of, resolve
from migrations.study.schema import Audit, CaseImage, Image
from migrations.study.tombstones import all_tombstones


class NothingToErase(AppError):
    """The study has nobody and nothing of this name."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done.

    Attributes
    ----------
    rows, server_rows
        Rows removed here and on the server, by table.
    images, leftovers
        Folders that are really gone: of images, and what killed imports left of them.
    traces
        What still holds data, for people to see to; of kind "left" what could not be removed.
    servers
        Servers this study was pushed to, that were not named now.
    """

    kind: str
    rows: dict[str, int]
    images: int
    traces: list[Trace]
    server_rows: dict[str, int] = field(default_factory=dict)
    servers: list[str] = field(default_factory=list)
    leftovers: int = 0

    @property
    def failed(self) -> bool:
        """Whether something that should be gone is still there."""
        return any(trace.kind == "left" for trace in self.traces)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        traces = [{"kind": t.kind, "path": str(t.path), "reason": t.reason} for t in self.traces]
        return {
            "kind": self.kind, "rows": self.rows, "images": self.images,
            "leftovers": self.leftovers, "traces": traces,
            "server_rows": self.server_rows, "servers": self.servers,
        }  # fmt: skip


def erase(
    study: Study, *, reader: str | None, patients: Sequence[str], server: Database | None
) -> Erasure:
    """Erase a reader or images from a study, and from a server.

    Parameters
    ----------
    reader
        Pseudonym.
    patients
        Source groups, images or cases (name or id, six characters of it at least, or the hash of
        an image's pixels), or patient identifiers of this computer's key.
    server
        Where copies lie too.

    Raises
    ------
    NothingToErase
        If nothing of it is in the study.
    AmbiguousName
        If a name may mean several images or cases.
    StationBusy
        If the study is being recorded into.
    """
    lock = StationLock(study.folder)
    lock.acquire()
    try:
        if reader is not None:
            erased = erase_reader(study.database, reader)
        else:
            erased = erase_images(study.database, images_of(study, patients))
        if not erased:
            named = reader if reader is not None else ", ".join(patients)
            raise NothingToErase(
                f"{study.folder} has no reader, image or patient {named}. Nothing was erased. "
                "Name readers by pseudonym; patients by source group, or by the name or id of "
                "an image or case, or an image's sha256."
            )
        removed = remove_files(study, erased)
        compact(study.database)
    finally:
        lock.release()
    server_rows = carry_out(study.database, server) if server is not None else {}
    servers = [] if server is not None else pushed_to(study.database)
    traces = find_traces(study, erased)
    traces += [Trace("left", path, why) for path, why in removed.kept]
    images, leftovers = removed.images, removed.leftovers
    return Erasure(erased.kind, erased.rows, images, traces, server_rows, servers, leftovers)


def images_of(study: Study, patients: Sequence[str]) -> list[str]:
    """Return the ids of the images meant: of whole groups or cases, or single images.

    A few characters might as well be a patient's identifier, and what is erased is gone: the
    beginning of a name must have the six characters that names have.

    Raises
    ------
    AmbiguousName
        If a name may mean several images, or an image and a case of more than that.
    """
    found: dict[str, None] = {}
    key = identifier_key()
    with study.database.read() as session:
        names = names_of(session, "image")
        for name in patients:
            hashed = source_group(key, "patient", name)
            original = Image.details["imported_sha256"].as_string()
            same = or_(
                Image.source_group.in_((name, hashed)),
                Image.details["file_group"].as_string().in_((name, hashed)),
                Image.id == name,
                Image.sha256 == name,
                original == name,
            )
            ids = list(session.scalars(select(Image.id).where(same)))
            if not ids and len(name.strip()) >= LENGTH:
                ids = _images_called(session, names, name)
            found.update(dict.fromkeys(ids))
    return list(found)


def _images_called(session: OrmSession, names: Names, text: str) -> list[str]:
    """Return the image, or the images of the case, that a text names."""
    image, of_case = names.meant(text), list[str]()
    with contextlib.suppress(UnknownName):
        case = CaseImage.case_id == resolve(session, "case", text)
        of_case = list(session.scalars(select(CaseImage.image_id).where(case)))
    if image is None:
        return of_case
    if of_case not in ([], [image]):
        raise AmbiguousName(
            f'"{text}" is an image ({image}) and a case of {len(of_case)} images '
            f"({', '.join(of_case)}). Nothing was erased. Give the ids of the images to "
            "erase."
        )
    return [image]


def carry_out(local: Database, server: Database) -> dict[str, int]:
    """Carry out a study's erasures on a server; return rows removed there, by table."""
    with local.read() as session:
        rows = [(r.id, r.time_utc, r.details) for r in all_tombstones(session)]
    removed: dict[str, int] = {}
    for row_id, time_utc, details in rows:
        for name, count in erase_again(server, details, row_id, time_utc).rows.items():
            removed[name] = removed.get(name, 0) + count
    compact(server)
    return removed


def pushed_to(local: Database) -> list[str]:
    """Return the servers a study was pushed to, by name."""
    with local.read() as session:
        details = session.scalars(select(Audit.details).where(Audit.action == "pushed")).all()
    return sorted({str(d.get("server", "")) for d in details})
