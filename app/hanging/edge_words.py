"""The words in the bands above and below an image: which one it is, how it lies and is shown."""

from dataclasses import dataclass

from app.hanging.upright import Upright, edges_after
from app.images.attributes import DisplayAttributes, Window

_UNSURE = ("left-out", "concluded", "unknown", "for-processing")


@dataclass(frozen=True, slots=True)
class EdgeWords:
    """Words for one image; empty where nothing is known.

    Attributes
    ----------
    name
        Side and view: "R MLO".
    unsure
        What could not be taken from its file as it was.
    shown
        Window, zoom, frame.
    left, top, right, bottom
        The patient's side at each edge of the image as it is turned now.
    """

    name: str = ""
    unsure: str = ""
    shown: str = ""
    left: str = ""
    top: str = ""
    right: str = ""
    bottom: str = ""


def edge_words(
    attributes: DisplayAttributes, turn: Upright, window: Window, frame: int, zoom: float
) -> EdgeWords:
    """Return the words for an image as it is shown now.

    Parameters
    ----------
    frame
        Frame of a stack, from 0.
    zoom
        Pixels of the screen per pixel of the image.
    """
    told = attributes.orientation
    edges = None if told is None else edges_after(told, turn)
    return EdgeWords(
        name_of(attributes),
        unsure_of(attributes),
        "   ".join(_shown(attributes, window, zoom, frame)),
        *(
            ("", "", "", "")
            if edges is None
            else (edges.left, edges.top, edges.right, edges.bottom)
        ),
    )


def name_of(attributes: DisplayAttributes) -> str:
    """Return side and view: "R MLO S"; "" if the file gives neither."""
    side = (attributes.laterality or "").strip()
    modifiers = " ".join(attributes.view_modifiers)
    return " ".join(word for word in (side, attributes.view or "", modifiers) if word)


def unsure_of(attributes: DisplayAttributes) -> str:
    """Return what could not be taken from the file as it was; "" for nothing."""
    found = [note.text for note in attributes.notes if note.code.endswith(_UNSURE)]
    more = f" (+{len(found) - 1})" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else ""


def _shown(attributes: DisplayAttributes, window: Window, zoom: float, frame: int) -> list[str]:
    words = []
    if not attributes.is_colour:
        numbers = f"W {_number(window.width)} L {_number(window.center)}"
        words.append(f"{window.name}, {numbers}" if window.name else numbers)
    words.append(f"{zoom:.0%}")
    if attributes.frames > 1:
        words.append(f"{frame + 1}/{attributes.frames}")
    return words


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.3g}"
