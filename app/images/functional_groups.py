"""Enhanced multi-frame files keep display elements per frame (PS3.3 C.7.6.16): brought to the top.

One image of a study has one way to be shown, so that a stack does not flicker while it is
scrolled: that of its middle frame. Frames whose values mean different things are refused.
"""

from typing import Any

from app.errors import ImportRefused
from app.images.elements import Elements

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


def adopt_frame(dataset: Any, elements: Elements, frame: int) -> None:
    """Give a data set the display elements of one of its frames where it has none of its own.

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
                if raw is not None and keyword not in dataset:
                    dataset[keyword] = raw


def _require_one_rescale(each: list[Elements]) -> None:
    items = [_first(group, "PixelValueTransformationSequence") for group in each]
    ways = {
        (item.text("RescaleSlope"), item.text("RescaleIntercept"))
        for item in items
        if item is not None
    }
    if len(ways) > 1:
        raise ImportRefused("its frames are rescaled in different ways; export them one by one")


def _first(elements: Elements, keyword: str) -> Elements | None:
    return next(iter(elements.items(keyword)), None)
