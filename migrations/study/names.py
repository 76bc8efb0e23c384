"""The one short name of a case, image or reading: shown everywhere, accepted everywhere.

A name is the random part of the id (the last 62 bits of a UUID of version 7) in Crockford's base
32, shortened to as many characters as it takes to tell a study's rows apart. It never depends on
the order of import, so that stations can be merged: a name may then get longer, but it keeps its
beginning.
"""

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.schema import RANDOM_MASK, Image, Reading, Session, StudyCase

Kind = Literal["image", "case", "reading", "session"]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, which are misread."""
LENGTH = 6
"""Characters of a name, if no other begins with the same: a clash is likely from 40,000 rows on."""
WHOLE = 13
"""Characters that hold all 62 bits."""

_FRAME_MARK = "#"
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_READ_AS = str.maketrans("ILO", "110")
_TABLES: Mapping[str, Any] = {
    "image": Image, "case": StudyCase, "reading": Reading, "session": Session,
}  # fmt: skip
_AFTER_ALL = "~"
"""Sorts after every character of a name and of an id."""
_LISTED = 5


def item_of_frame(image_id: str, frame: int) -> str:
    """Return the id under which a frame (from 0) of a stack is a member of a cohort."""
    return f"{image_id}{_FRAME_MARK}{frame:05d}"


def split_item(id_: str) -> tuple[str, int | None]:
    """Return the image of a cohort member, and its frame; None for an image that is not a stack."""
    image_id, mark, frame = id_.partition(_FRAME_MARK)
    return (image_id, int(frame)) if mark and _UUID.fullmatch(image_id) else (id_, None)


def short_name(id_: str, length: int = LENGTH) -> str:
    """Return the first characters of an id's name.

    Parameters
    ----------
    id_
        A UUID of version 7 as text; anything else (a file name) is returned unchanged.
    length
        Characters wanted, 1 to `WHOLE`.
    """
    image_id, frame = split_item(id_)
    if frame is not None:
        return f"{short_name(image_id, length)}{_FRAME_MARK}{frame}"
    if not _UUID.fullmatch(id_):
        return id_
    random = int(id_[-17:].replace("-", ""), 16) & RANDOM_MASK
    padded = random << (5 * WHOLE - RANDOM_MASK.bit_length())
    return "".join(ALPHABET[padded >> 5 * (WHOLE - k) & 31] for k in range(1, length + 1))


class Names(Mapping[str, str]):
    """The names of all rows of one kind, by id.

    A name has six characters, and more only where another name begins with the same. Anything that
    is not a UUID (a file name) is its own name.
    """

    def __init__(self, ids: Iterable[str], kind: Kind = "image") -> None:
        self._kind = kind
        self._names = {id_: id_ for id_ in ids}
        self._ids = sorted(filter(_UUID.fullmatch, self._names))
        self._whole = sorted((short_name(id_, WHOLE), id_) for id_ in self._ids)
        shared = 0
        for (name, id_), (other, _) in itertools.pairwise([*self._whole, ("", "")]):
            before, shared = shared, _shared(name, other)
            needed = max(before, shared, LENGTH - 1) + 1
            self._names[id_] = name[:needed] if needed <= WHOLE else id_

    def __getitem__(self, id_: str) -> str:
        """Return the name of an id; a frame of a stack is named by the stack and its number."""
        image_id, frame = split_item(id_)
        if frame is not None and id_ not in self._names:
            return f"{self._names[image_id]}{_FRAME_MARK}{frame}"
        return self._names[id_]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._names)

    def matching(self, text: str) -> list[str]:
        """Return the ids that a text may mean: the id, the name, or the beginning of either.

        Upper and lower case are equal; I and L are read as 1, O as 0.
        """
        text = text.strip()
        plain = text.lower()
        whole = next((id_ for id_ in (text, plain) if id_ in self._names), None)
        if whole is not None or not plain:
            return [] if whole is None else [whole]
        read = text.upper().translate(_READ_AS)
        first, end = (bisect.bisect_left(self._whole, (t,)) for t in (read, read + _AFTER_ALL))
        named = [id_ for _, id_ in self._whole[first:end]]
        if len(named) == 1 and len(read) >= len(self._names[named[0]]):
            return named
        first, end = (bisect.bisect_left(self._ids, t) for t in (plain, plain + _AFTER_ALL))
        return list(dict.fromkeys([*named, *self._ids[first:end]]))

    def meant(self, text: str) -> str | None:
        """Return the one id that a text means (see `matching`), None if it means none.

        Raises
        ------
        AmbiguousName
            If it may mean several; the message lists them.
        """
        found = self.matching(text)
        if len(found) > 1:
            raise AmbiguousName(
                f'"{text}" may mean {len(found)} {self._kind}s: '
                f"{_listed(self[i] for i in found)}. Write more of the name."
            )
        return found[0] if found else None

    def called(self, text: str) -> str | None:
        """Return the id that is or has exactly this name, else None: nothing is guessed."""
        found = self.matching(text)
        read = text.strip().lower(), text.strip().upper().translate(_READ_AS)
        whole = len(found) == 1 and (found[0] == read[0] or self[found[0]] == read[1])
        return found[0] if whole else None


def names_of(rows: OrmSession, kind: Kind) -> Names:
    """Return the names of all rows of a kind in a study."""
    return Names(rows.scalars(select(_TABLES[kind].id)), kind)


def resolve(rows: OrmSession, kind: Kind, text: str, *, whole: bool = False) -> str:
    """Return the id of the one image, case, reading or session that a text names.

    Parameters
    ----------
    text
        The id, the name, the beginning of either if only one row has it, or the name under which an
        older version stored a case ("Case 005"). Letter case does not matter; I and L are read as
        1, O as 0.
    whole
        Whether the full name is required, as in a table, where 7 may be a case number of another
        study.

    Raises
    ------
    UnknownName, AmbiguousName
        If it names nothing, or several; the message lists the names there are.
    """
    names = names_of(rows, kind)
    found = names.meant(text)
    if found is not None and whole and len(text.strip()) < len(names[found]):
        found = None
    found = found or (_stored_as(rows, text) if kind == "case" else None)
    if found is not None:
        return found
    there = f"; there are: {_listed(names.values())}" if names else ""
    raise UnknownName(f'This study has no {kind} "{text}"{there}.')


def _stored_as(rows: OrmSession, text: str) -> str | None:
    same = func.lower(StudyCase.name) == text.strip().lower()
    return rows.scalars(select(StudyCase.id).where(same)).first()


def _shared(a: str, b: str) -> int:
    """Return how many initial characters two texts share."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))
    return sum(1 for _ in pairs)


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _LISTED} more" if len(ordered) > _LISTED else ""
    return ", ".join(ordered[:_LISTED]) + more
