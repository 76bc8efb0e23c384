"""Enhanced multi-frame files keep display elements per frame (PS3.3 C.7.6.16): moved to the top.

An image of a study has one way to be shown, so that a stack does not flicker while scrolling: that
of its middle frame. Frames whose values mean different things are refused.
"""

import math
from typing import Any

from app.errors import ImportRefused
from app.images.dicom.elements import Elements

_MACROS = (
    "PixelMeasuresSequence", "FrameVOILUTSequence", "PixelValueTransformationSequence",
    "FrameAnatomySequence", "FrameDisplayShutterSequence", "PlaneOrientationSequence",
)  # fmt: skip
_KEPT = (
    "PixelSpacing", "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation",
    "VOILUTFunction", "VOILUTSequence", "RescaleSlope", "RescaleIntercept", "FrameLaterality",
    "ImageOrientationPatient",
    "ShutterShape", "ShutterLeftVerticalEdge", "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge", "ShutterLowerHorizontalEdge", "CenterOfCircularShutter",
    "RadiusOfCircularShutter", "VerticesOfThePolygonalShutter", "ShutterPresentationValue",
)  # fmt: skip
_ALIKE = ("PixelSpacing", "FrameLaterality", "ImageOrientationPatient")
"""Elements that would be wrong for all other frames if taken from one."""


def adopt_frame(dataset: Any, elements: Elements, frame: int) -> None:
    """Give a data set the display elements of one of its frames if it has none of its own.

    Parameters
    ----------
    elements
        Those of the data set.

    Raises
    ------
    ImportRefused
        If its frames are rescaled in different ways.
    """
    shared = _first(elements, "SharedFunctionalGroupsSequence")
    each = elements.items("PerFrameFunctionalGroupsSequence")
    _require_one_rescale(each)
    groups = [item for item in (shared, each[frame] if frame < len(each) else None) if item]
    for group in groups:
        for macro in _MACROS:
            item = _first(group, macro)
            for keyword in _KEPT:
                raw = None if item is None else item.raw(keyword)
                if raw is None or keyword in dataset:
                    continue
                if keyword in _ALIKE and _differs(each, macro, keyword):
                    elements.say("frames-differ", keyword=keyword)
                    continue
                dataset[keyword] = raw


def _require_one_rescale(each: list[Elements]) -> None:
    items = [_first(group, "PixelValueTransformationSequence") for group in each]
    if not any(items):
        return
    # A frame without these elements is not rescaled: beside one that is, that is a difference.
    ways = {
        (item.number("RescaleSlope") or 1.0, item.number("RescaleIntercept") or 0.0)
        if item is not None
        else (1.0, 0.0)
        for item in items
    }
    if len(ways) > 1:
        raise ImportRefused("its frames are rescaled in different ways; export them one by one")


def _differs(each: list[Elements], macro: str, keyword: str) -> bool:
    """Return whether frames contain different values; missing ones do not count."""
    items = [item for item in (_first(group, macro) for group in each) if item is not None]
    told = [item for item in items if item.has(keyword)]
    is_word = keyword == "FrameLaterality"
    said = [item.text(keyword) if is_word else item.numbers(keyword) for item in told]
    return any(not _alike(said[0], other) for other in said[1:])


def _alike(one: list[float] | str, other: list[float] | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    close = (
        math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-3) for a, b in zip(one, other, strict=False)
    )
    return len(one) == len(other) and all(close)


def _first(elements: Elements, keyword: str) -> Elements | None:
    return next(iter(elements.items(keyword)), None)
