"""What the channels of an LSL gaze stream mean, whoever sends it.

Known senders (labels and units read from their sources): App-TobiiPro (6 channels, unit
"screencoords" though 0 to 1, type "Eyetracker"), App-TobiiStreamEngine (x, y), TittaLSL (37 or,
with eye openness, 43 channels) and Pupil Capture (22, y bottom-up). Others are understood by the
types of https://github.com/sccn/xdf/wiki/Gaze-Meta-Data or by plain labels.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from devices.errors import StreamLayoutError
from devices.gaze.geometry import ScreenGeometry
from devices.lsl.layouts import WAY_OUT, Channel, Column, Layout

Side = Literal["left", "right", "both"]

_UNIT_SCALES = {"": 1.0, "normalized": 1.0, "normalised": 1.0, "norm": 1.0, "screencoords": 1.0}
_PERCENT = {"percent", "%", "percentage"}
_PIXELS = {"pixel", "pixels", "px"}
_MILLIMETRES = {"mm", "millimeter", "millimeters", "millimetre", "millimetres"}
_GAZE_WORDS = {"left", "right", "both", "eye", "gaze", "point", "pos", "position", "norm"}
_GAZE_WORDS |= {"screen", "display", "area", "on"}
_SECONDS_US = {"s": 1e6, "sec": 1e6, "seconds": 1e6, "ms": 1e3, "us": 1.0, "µs": 1.0, "ns": 1e-3}
_BY_TYPE = {
    "screenx": "x",
    "screeny": "y",
    "diameter": "pupil",
    "pupilsize": "pupil",
    "pupilx": "origin_x",
    "pupily": "origin_y",
    "pupilz": "origin_z",
    "eyeliddistance": "openness",
    "confidence": "confidence",
    "validflag": "valid",
}
_OTHER_TYPE = re.compile(
    r"(intersection|direction|position|normal|available|radius|velocity|timestamp)"
)
_GAZEPOINT = re.compile(r"([lrb])pog([xyv])")
_GAZEPOINT_SIDES: dict[str, Side] = {"l": "left", "r": "right", "b": "both"}
_FIELD_SUFFIX = {
    "x": "x_norm",
    "y": "y_norm",
    "pupil": "pupil_mm",
    "origin_x": "origin_x_mm",
    "origin_y": "origin_y_mm",
    "origin_z": "origin_z_mm",
    "openness": "openness_mm",
}
_GROUP = {"x": "gaze", "y": "gaze", "pupil": "pupil", "openness": "openness"}


def layout_of(
    stream: str,
    channels: Sequence[Channel],
    geometry: ScreenGeometry | None = None,
    *,
    unit: str | None = None,
) -> Layout:
    """Return the layout of a stream.

    Parameters
    ----------
    stream
        Its name.
    channels
        In order, as its description has them.
    geometry
        Of the tracked screen; needed for gaze in pixels only.
    unit
        Of gaze, where the user knows it better than the stream.

    Raises
    ------
    StreamLayoutError
        If no gaze point can be found, or its unit is not one of a screen.
    """
    if unit is not None:
        channels = [replace(c, unit=unit) if _quantity(c) in ("x", "y") else c for c in channels]
    labels = tuple(c.label for c in channels)
    found = [(_side(c), _quantity(c), i) for i, c in enumerate(channels)]
    gaze = _first_of_each(found, ("x", "y"))
    sides = [s for s in ("left", "right", "both") if (s, "x") in gaze and (s, "y") in gaze]
    if not sides:
        raise StreamLayoutError(_unknown(stream, labels))
    if "left" in sides or "right" in sides:
        sides = [s for s in sides if s != "both"]
    usable = [(s, q, i) for s, q, i in found if _has_usable_unit(channels[i], q)]
    rest = _first_of_each(usable, tuple(_FIELD_SUFFIX))
    columns = tuple(
        column
        for (side, quantity), index in rest.items()
        if side in sides or quantity not in ("x", "y")
        for column in _columns(stream, channels, (side, quantity, index), geometry)
    )
    first = channels[gaze[sides[0], "x"]]
    return Layout(
        stream,
        labels,
        columns,
        first.unit,
        confidence=next((i for _, q, i in found if q == "confidence"), None),
        device_time=_device_time(channels, found),
        note=_note(stream, first),
    )


def _columns(
    stream: str,
    channels: Sequence[Channel],
    place: tuple[str, str, int],
    geometry: ScreenGeometry | None,
) -> list[Column]:
    """Return the columns one channel fills: one eye's, or both for a cyclopean value."""
    side, quantity, index = place
    channel = channels[index]
    scale = 1.0
    if quantity in ("x", "y"):
        scale = _scale(stream, channel, quantity, geometry)
    valid = _validity(channels, side, _GROUP.get(quantity, "origin"))
    flipped = quantity == "y" and channel.label.lower().startswith("norm_pos")
    eyes = ("left", "right") if side == "both" else (side,)
    fields = [f"{eye}_{_FIELD_SUFFIX[quantity]}" for eye in eyes]
    return [Column(field, index, scale, flipped, valid) for field in fields]


def _has_usable_unit(channel: Channel, quantity: str | None) -> bool:
    """Tell whether a value is in millimetres, or a pupil without a unit; gaze is seen to later."""
    unit = channel.unit.strip().lower()
    return quantity in ("x", "y") or unit in _MILLIMETRES or (not unit and quantity == "pupil")


def _device_time(
    channels: Sequence[Channel], found: Iterable[tuple[str, str | None, int]]
) -> tuple[int, float] | None:
    """Return the channel of the device's own time, and how many microseconds its unit has."""
    for _, quantity, index in found:
        if quantity == "device_time":
            return index, _SECONDS_US.get(channels[index].unit.strip().lower(), 1.0)
    # TittaLSL puts it last, in seconds, and does not describe it.
    is_titta = channels[0].label.endswith(".gaze_point.left_eye") and not channels[-1].label
    return (len(channels) - 1, 1e6) if is_titta else None


def _scale(stream: str, channel: Channel, axis: str, geometry: ScreenGeometry | None) -> float:
    """Return the factor from the channel's unit to `_norm`."""
    unit = channel.unit.strip().lower()
    if unit in _UNIT_SCALES:
        return _UNIT_SCALES[unit]
    if unit in _PERCENT:
        # Gazepoint's own script calls 0 to 1 "percent"; what is sent is held against it later.
        return 1.0 if _GAZEPOINT.fullmatch(channel.label.lower()) else 0.01
    if unit in _PIXELS and geometry is not None:
        size = geometry.width_screen if axis == "x" else geometry.height_screen
        return 1.0 / (size * geometry.device_pixel_ratio)
    raise StreamLayoutError(
        f'LSL stream "{stream}" sends gaze channel "{channel.label}" in "{channel.unit}", '
        f"which cannot be placed on the screen. {WAY_OUT}"
    )


def _side(channel: Channel) -> Side:
    """Return the eye of a channel, from its description or its label."""
    text = f"{channel.eye} {channel.label}".lower()
    gazepoint = _GAZEPOINT.fullmatch(channel.label.lower())
    if gazepoint is not None:
        return _GAZEPOINT_SIDES[gazepoint[1]]
    if "left" in text:
        return "left"
    return "right" if "right" in text else "both"


def _quantity(channel: Channel) -> str | None:
    """Return what a channel holds, None for what is not needed."""
    kind, label = channel.type.strip().lower(), channel.label.strip().lower()
    if label in ("device_time_stamp", "device_timestamp", "device_time"):
        return "device_time"
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if _OTHER_TYPE.match(kind):
        return None
    return _quantity_by_label(label, channel.unit.strip().lower())


def _quantity_by_label(label: str, unit: str) -> str | None:
    gazepoint = _GAZEPOINT.fullmatch(label)
    if gazepoint is not None:
        return "valid" if gazepoint[2] == "v" else str(gazepoint[2])
    words: list[str] = [w for w in re.split(r"[^a-z0-9]+", label) if w]
    axes = [w for w in words if w in ("x", "y", "z")]
    if axes in (["x"], ["y"]) and set(words) - {"x", "y"} <= _GAZE_WORDS:
        return axes[0]
    if ("valid" in words or "validity" in words) and unit in ("bool", "boolean"):
        return "valid"
    if not axes and ("pupil" in words or "diameter" in words):
        return "pupil"
    if words == ["confidence"]:
        return "confidence"
    return None


def _validity(channels: Sequence[Channel], side: str, group: str) -> int | None:
    """Return the flag channel of an eye's gaze, pupil, origin or openness."""
    for index, channel in enumerate(channels):
        if _quantity(channel) == "valid" and _side(channel) == side:
            label = channel.label.lower()
            of = next((g for g in ("pupil", "origin", "openness") if g in label), "gaze")
            if of == group:
                return index
    return None


def _first_of_each(
    found: Iterable[tuple[str, str | None, int]], quantities: tuple[str, ...]
) -> dict[tuple[str, str], int]:
    """Return the first channel of each eye and quantity."""
    chosen: dict[tuple[str, str], int] = {}
    for side, quantity, index in found:
        if quantity is not None and quantity in quantities:
            chosen.setdefault((side, quantity), index)
    return chosen


def _note(stream: str, channel: Channel) -> str:
    if channel.coordinate_system.strip().lower() != "world":
        return ""
    return (
        f'Gaze of LSL stream "{stream}" is relative to the scene camera, not to the screen; '
        "publish it on a surface that is the screen before you trust it."
    )


def _unknown(stream: str, labels: tuple[str, ...]) -> str:
    listed = ", ".join(labels) if any(labels) else "without labels"
    return (
        f'LSL stream "{stream}" has {len(labels)} channels ({listed}), and none can be told to '
        f"be gaze on the screen, x and y. Label them (left_x, left_y, right_x, right_y). {WAY_OUT}"
    )
