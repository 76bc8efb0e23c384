"""How an image is turned to hang upright, and how that is known.

Breasts hang as in IHE's and OHIF's protocols: chest walls meeting, the outer side up in CC and
related views, the feet down in MLO and related views. Frontal images hang as if the patient faced
the reader. Nothing is invented that a file does not say: an image whose up and down are unknown
stays as it is stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.hanging.mammography import chest_wall_side, is_close_up, wanted_side
from app.images.attributes import DisplayAttributes
from app.images.dicom.breast_views import UPPER
from app.images.dicom.orientation import Orientation, axis_of, opposite
from app.images.store import LoadedImage
from app.images.viewport import Viewport

Source = Literal["told", "light", "unknown"]
_CROSS_SECTIONS = ("CT", "MR", "PT", "NM")
_EITHER_WAY = (
    "ANKLE", "CALCANEUS", "DIGIT", "ELBOW", "EXTREMITY", "FINGER", "FOOT", "FOREARM", "HAND",
    "INDEXFINGER", "LIMB", "LOWERARM", "MIDDLEFINGER", "RINGFINGER", "THUMB", "TOE", "UPPERLIMB",
    "WRIST",
)  # fmt: skip
"""Fingers up or down; both are usual."""
_FACING = (("L", "F"), ("F", "R"), ("R", "H"), ("H", "L"))
"""Rows and columns of an image that is not mirrored, whichever way it is turned."""


@dataclass(frozen=True, slots=True)
class Upright:
    """How an image hangs: mirrored first, then turned.

    Attributes
    ----------
    rotation_deg
        Clockwise: 0, 90, 180 or 270.
    source
        How this is known: "told" (from the file), "light" (from the breast's bright edge; up and
        down unknown), or "unknown": it hangs as stored, except that a mirror named in the file is
        undone.
    """

    rotation_deg: int = 0
    flipped_horizontally: bool = False
    flipped_vertically: bool = False
    source: Source = "unknown"

    @property
    def words(self) -> str:
        """What a page says if it is unknown which way is up; "" otherwise."""
        return "" if self.source == "told" else "which way is up is unknown"


_TURNS = (
    Upright(),
    Upright(flipped_horizontally=True),
    Upright(flipped_vertically=True),
    Upright(180),
    Upright(90),
    Upright(270),
    Upright(90, flipped_horizontally=True),
    Upright(270, flipped_horizontally=True),
)
"""All ways in which an image can hang, those that change least first."""


def upright_of(image: LoadedImage) -> Upright:
    """Return how an image is turned to hang upright."""
    attributes = image.attributes
    told = attributes.orientation
    if wanted_side(attributes) is not None:
        turn = None if told is None else _turn(told, _breast(attributes))
        return turn or _by_light(image)
    if told is None:
        return Upright()
    axes = {axis_of(told[0]), axis_of(told[1])}
    if axes == {1, 2}:
        return _frontal(told, attributes.body_part)
    if axes == {0, 2}:
        return _lateral(told, attributes.body_part)
    return _cross_section(told) if attributes.modality in _CROSS_SECTIONS else Upright()


def shown_orientation(told: Orientation, turn: Upright) -> Orientation:
    """Return the letters towards the right and lower edges of an image that hangs this way."""
    right, down = told
    right = opposite(right) if turn.flipped_horizontally else right
    down = opposite(down) if turn.flipped_vertically else down
    for _ in range(turn.rotation_deg // 90):
        right, down = opposite(down), right
    return right, down


@dataclass(frozen=True, slots=True)
class Edges:
    """The patient's side at each edge of an image as it is shown: R or FL, for example."""

    left: str
    top: str
    right: str
    bottom: str


def edges_of(told: Orientation, viewport: Viewport) -> Edges:
    """Return the letters for the edges of an image, whichever way it is turned now."""
    return edges_after(told, turn_of(viewport))


def edges_after(told: Orientation, turn: Upright) -> Edges:
    """Return the letters for the edges of an image that lies so."""
    right, bottom = shown_orientation(told, turn)
    return Edges(opposite(right), opposite(bottom), right, bottom)


def turn_of(viewport: Viewport) -> Upright:
    """Return how an image lies now, whoever turned it."""
    return Upright(
        viewport.rotation_deg, viewport.flipped_horizontally, viewport.flipped_vertically
    )


def _turn(told: Orientation, is_right: Callable[[str, str], bool]) -> Upright | None:
    """Return the smallest turn after which an image hangs right."""
    for turn in _TURNS:
        if is_right(*shown_orientation(told, turn)):
            return Upright(
                turn.rotation_deg, turn.flipped_horizontally, turn.flipped_vertically, "told"
            )
    return None


def _breast(attributes: DisplayAttributes) -> Callable[[str, str], bool]:
    """Return whether a mammogram hangs right, judged by its letters."""
    on_right = wanted_side(attributes) == "right"
    back = "P" if on_right else "A"
    upper = (attributes.view or "").upper() in UPPER
    below = ("L" if on_right else "R") if upper else "F"
    return lambda right, down: back in right and below in down and axis_of(right) != axis_of(down)


def _by_light(image: LoadedImage) -> Upright:
    """Put the chest wall, the brighter edge, where it belongs; a close-up does not show it."""
    if is_close_up(image.attributes):
        return Upright()
    return Upright(
        flipped_horizontally=chest_wall_side(image) != wanted_side(image.attributes),
        source="light",
    )


def _frontal(told: Orientation, body_part: str | None) -> Upright:
    either_way = body_part in _EITHER_WAY
    if not either_way and (body_part is not None or told[1][0] == "F"):
        return _turn(told, lambda right, down: (right[0], down[0]) == ("L", "F")) or Upright()
    # A hand may hang fingers up, and no one says that this is not a hand: only a mirror is undone.
    mirrored = (told[0][0], told[1][0]) not in _FACING
    return Upright(flipped_horizontally=mirrored, source="told" if either_way else "unknown")


def _cross_section(told: Orientation) -> Upright:
    """Turn a slice to be seen from the feet, back down; a prone patient's stays as it is."""
    if (told[0][0], told[1][0]) == ("R", "A"):
        return Upright(source="told")
    return _turn(told, lambda right, down: (right[0], down[0]) == ("L", "P")) or Upright()


def _lateral(told: Orientation, body_part: str | None) -> Upright:
    """Turn a lateral image feet down; whether it faces left or right is up to the reader."""
    if body_part in _EITHER_WAY:
        return Upright(source="told")
    for turn in (Upright(), Upright(180), Upright(90), Upright(270)):
        if shown_orientation(told, turn)[1][0] == "F":
            return Upright(turn.rotation_deg, source="told")
    return Upright()
