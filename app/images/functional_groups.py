"""Enhanced multi-frame files keep display elements per frame (PS3.3 C.7.6.16): brought to the top.

One image of a study has one way to be shown, so that a stack does not flicker while it is
scrolled: that of its middle frame. Frames whose values mean different things are refused.
"""

from typing import Any

from app.errors import ImportRefused

_MACROS = (
    "PixelMeasuresSequence", "FrameVOILUTSequence", "PixelValueTransformationSequence",
    "FrameAnatomySequence", "FrameDisplayShutterSequence",
)  # fmt: skip
_KEPT = (
    "PixelSpacing", "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation",
    "VOILUTFunction", "VOILUTSequence", "RescaleSlope", "RescaleIntercept", "FrameLaterality",
    "ShutterShape", "ShutterLeftVerticalEdge", "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge", "ShutterLowerHorizontalEdge", "CenterOfCircularShutter",
    "RadiusOfCircularShutter", "VerticesOfThePolygonalShutter", "ShutterPresentationValue",
)  # fmt: skip


def adopt_frame(dataset: Any, frame: int) -> None:
    """Give a data set the display elements of one of its frames where it has none of its own.

    Raises
    ------
    ImportRefused
        If its frames are rescaled in different ways.
    """
    shared = _first(dataset, "SharedFunctionalGroupsSequence")
    each = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    _require_one_rescale(each)
    groups = [item for item in (shared, each[frame] if frame < len(each) else None) if item]
    for group in groups:
        for macro in _MACROS:
            item = _first(group, macro)
            for keyword in _KEPT:
                if item is not None and keyword in item and keyword not in dataset:
                    # As the file has it: a broken value is said where it is read.
                    dataset[keyword] = item.get_item(keyword)


def _require_one_rescale(each: list[Any]) -> None:
    items = [_first(group, "PixelValueTransformationSequence") for group in each]
    ways = {
        (str(item.get("RescaleSlope")), str(item.get("RescaleIntercept")))
        for item in items
        if item is not None
    }
    if len(ways) > 1:
        raise ImportRefused("its frames are rescaled in different ways; export them one by one")


def _first(dataset: Any, keyword: str) -> Any:
    return next(iter(dataset.get(keyword) or []), None)
