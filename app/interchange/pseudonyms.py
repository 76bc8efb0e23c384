"""Pseudonyms for the participants of foreign files: their names never enter a study.

A pseudonym is derived from the name with the key that also hashes patients' identifiers and stays
in the user's configuration: a person has the same pseudonym in all studies and files of a computer.
"""

import base64
from dataclasses import dataclass, field

from sqlalchemy import select

from app.images.dicom.deidentify import identifier_key
from app.images.dicom.origin import keyed_hash
from migrations.study.folder import Study
from migrations.study.schema import Reader

PREFIX = "IMP-"


def pseudonym(key: bytes, name: str) -> str:
    """Return the pseudonym of a name: eight letters and digits, the same for the same key."""
    plain = " ".join(name.split()).casefold()
    return PREFIX + base64.b32encode(keyed_hash(key, "reader", plain)).decode()[:8]


@dataclass(slots=True)
class Pseudonyms:
    """Makes pseudonyms for one study.

    Attributes
    ----------
    known
        Pseudonyms of the study's readers: a file that uses one of them means that reader.
    """

    known: frozenset[str]
    _made: dict[str, str] = field(default_factory=dict)
    _key: bytes = b""

    @classmethod
    def of(cls, study: Study) -> "Pseudonyms":
        """Return the pseudonyms of a study."""
        with study.database.read() as session:
            return cls(frozenset(session.scalars(select(Reader.pseudonym))))

    def __call__(self, name: str) -> str:
        """Return the pseudonym for a name in a file."""
        if name in self.known:
            return name
        if name not in self._made:
            self._key = self._key or identifier_key()
            self._made[name] = pseudonym(self._key, name)
        return self._made[name]
