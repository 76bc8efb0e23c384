"""Which readers a csv of assignments means: readers of the study, and new ones named as such."""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.clean_text import name_of
from migrations.study.errors import StudyError, UnknownReaders
from migrations.study.schema import Reader, new_id

_LISTED = 20


def readers_meant(
    session: OrmSession, named: Mapping[str, str], new: Collection[str]
) -> dict[str, str]:
    """Return the row of each reader in a csv; new readers get one.

    In a study without readers all are new.

    Parameters
    ----------
    named
        Where each pseudonym first appears, in words.
    new
        Pseudonyms that are meant to be new.

    Raises
    ------
    UnknownReaders
        If others are not in the study: otherwise a typing error would make a reader.
    StudyError
        If a pseudonym differs from another one only in letter case.
    """
    there = {pseudonym: id_ for id_, pseudonym in session.execute(
        select(Reader.id, Reader.pseudonym).order_by(Reader.pseudonym))}  # fmt: skip
    written = {_folded(pseudonym): pseudonym for pseudonym in there}
    for pseudonym, where in named.items():
        other = written.setdefault(_folded(pseudonym), pseudonym)
        if other != pseudonym:
            raise StudyError(
                f"{where}: the reader {pseudonym!r} is a different spelling of {other!r}. Spell "
                "each reader the same way everywhere."
            )
    unknown = [p for p in named if p not in there and p not in new]
    if there and unknown:
        listed = ", ".join(list(there)[:_LISTED]) + (", …" if len(there) > _LISTED else "")
        raise UnknownReaders(
            f"{named[unknown[0]]}: the study has no reader {unknown[0]!r}; it has {listed}.",
            tuple(unknown),
        )
    return {p: there.get(p) or _new(session, p) for p in named}


def _folded(pseudonym: str) -> str:
    return name_of(pseudonym).casefold()


def _new(session: OrmSession, pseudonym: str) -> str:
    row = Reader(id=new_id(), pseudonym=pseudonym, details={})
    session.add(row)
    session.flush()
    return row.id
