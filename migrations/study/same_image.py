"""Which images are the same: by pixels, their shape and meaning, and the patient.

Import, server and trainer ask here. Pixels alone do not identify an image: the same bytes in
another shape, inverted (MONOCHROME1) or signed are a different picture, and blank images of two
patients are two images.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import Image

_AT_ONCE = 400


class ImageIdentity(NamedTuple):
    """What identifies an image.

    Attributes
    ----------
    sha256
        Hash of the stored values in the study.
    rows, columns, frames
        Source pixels.
    dtype
        Type of its stored values, such as "uint16"; None for an image that came to a server before
        Foveate stored the type, which matches any.
    photometric
        As in the file.
    source_group
        Keyed hash of its patient.
    """

    id: str
    sha256: str
    rows: int
    columns: int
    frames: int
    dtype: str | None
    photometric: str
    source_group: str

    def same_picture(self, other: "ImageIdentity") -> bool:
        """Tell whether two images show the same, regardless of the patient."""
        numbers = self.dtype is None or other.dtype is None or self.dtype == other.dtype
        return numbers and self._shown == other._shown

    @property
    def _shown(self) -> tuple[str, int, int, int, str]:
        return self.sha256, self.rows, self.columns, self.frames, self.photometric


_COLUMNS = [getattr(Image, name) for name in ImageIdentity._fields]


def identities(session: OrmSession, sha256: Sequence[str] | None = None) -> list[ImageIdentity]:
    """Return what identifies the images of a database; of all, or of those with some pixels."""
    query = select(*_COLUMNS).order_by(Image.id)
    if sha256 is None:
        return [ImageIdentity(*row) for row in session.execute(query)]
    found: list[ImageIdentity] = []
    for first in range(0, len(sha256), _AT_ONCE):
        some = query.where(Image.sha256.in_(sha256[first : first + _AT_ONCE]))
        found += [ImageIdentity(*row) for row in session.execute(some)]
    return found


def same_images(mine: Iterable[ImageIdentity], theirs: Iterable[ImageIdentity]) -> dict[str, str]:
    """Return which of their images are mine, id by id; undecidable ones are left out.

    Patients are hashed with each computer's own key. The same group is the same patient; another
    group may be the same patient under another key, unless mine include that group too. So an image
    with another group is matched to mine only if there is no other candidate.
    """
    own = list(mine)
    groups = {image.source_group for image in own}
    twins: dict[str, list[ImageIdentity]] = defaultdict(list)
    others: dict[str, list[ImageIdentity]] = defaultdict(list)
    for image in own:
        twins[image.sha256].append(image)
    for image in theirs:
        others[image.sha256].append(image)
    found = {}
    for image in own:
        there = _same(image, others[image.sha256], twins[image.sha256], groups)
        if there is not None:
            found[image.id] = there.id
    return found


def _same(
    image: ImageIdentity,
    candidates: Iterable[ImageIdentity],
    twins: Sequence[ImageIdentity],
    groups: set[str],
) -> ImageIdentity | None:
    """Return the one candidate that is the image; `groups` are the patients on its side."""
    same = [other for other in candidates if image.same_picture(other)]
    of_patient = [other for other in same if other.source_group == image.source_group]
    exact = [other for other in of_patient if other.dtype == image.dtype]
    of_other_key = [other for other in same if other.source_group not in groups]
    likely = of_patient or of_other_key
    alone = [o for o in likely if sum(o.same_picture(twin) for twin in twins) == 1]
    told = exact or alone
    return told[0] if len(told) == 1 == len(exact or likely) else None
