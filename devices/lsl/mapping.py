"""The user's description of streams that do not describe themselves: a TOML or JSON file.

The format, with an example, is in docs/trackers.md.
"""

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from devices.errors import StreamLayoutError
from devices.gaze.geometry import ScreenGeometry
from devices.lsl.layouts import Channel, Column, Layout

MAPPING_VARIABLE = "FOVEATE_LSL_MAPPING"
UNITS = ("normalized", "percent", "pixels")
_FIELDS = {
    "x": "x_norm",
    "y": "y_norm",
    "pupil_mm": "pupil_mm",
    "origin_x_mm": "origin_x_mm",
    "origin_y_mm": "origin_y_mm",
    "origin_z_mm": "origin_z_mm",
    "openness_mm": "openness_mm",
}
_PLACES = tuple(f"{side}_{name}" for side in ("left", "right") for name in (*_FIELDS, "valid"))
_PLACES += ("x", "y", "valid", "confidence", "device_time_us")

Place = int | str


def mapping_path() -> Path:
    """Return the user's mapping file (`FOVEATE_LSL_MAPPING` names another); it need not exist."""
    named = os.environ.get(MAPPING_VARIABLE)
    if named:
        return Path(named)
    folder = os.environ.get("FOVEATE_CONFIG_DIR")
    return (Path(folder) if folder else user_config_path("foveate")) / "lsl-mapping.toml"


@dataclass(frozen=True, slots=True)
class Mapping:
    """The user's description of one stream.

    Attributes
    ----------
    stream
        Its name or its source_id.
    unit
        Of gaze; None: as the stream declares it.
    y_up
        Whether y grows upwards.
    channels
        What is where: channels by number, from 0, or by label. Empty: as the stream describes them.
    """

    stream: str
    unit: str | None = None
    y_up: bool = False
    channels: dict[str, Place] = field(default_factory=dict)

    def layout(
        self, channels: Sequence[Channel], geometry: ScreenGeometry | None, file: Path
    ) -> Layout:
        """Return the layout of the stream that has these channels.

        Raises
        ------
        StreamLayoutError
            If a channel is not there, or gaze is not given; names file, stream and channel.
        """
        where = f'{file}, stream "{self.stream}"'
        labels = tuple(c.label for c in channels)
        found = {name: _index(p, labels, name, where) for name, p in self.channels.items()}
        columns = tuple(_columns(found, self._scales(geometry, where), self.y_up))
        if not {"left_x_norm", "right_x_norm"} & {c.field for c in columns}:
            raise StreamLayoutError(
                f"{where}: gaze is missing. Give left_x and left_y, right_x and right_y, or x and "
                "y under channels."
            )
        time = found.get("device_time_us")
        return Layout(
            self.stream,
            labels,
            columns,
            self.unit or "normalized",
            confidence=found.get("confidence"),
            device_time=None if time is None else (time, 1.0),
        )

    def _scales(self, geometry: ScreenGeometry | None, where: str) -> dict[str, float]:
        if self.unit != "pixels":
            scale = 0.01 if self.unit == "percent" else 1.0
            return {"x": scale, "y": scale}
        if geometry is None:
            raise StreamLayoutError(f"{where}: pixels need the size of the tracked screen.")
        ratio = geometry.device_pixel_ratio
        return {
            "x": 1.0 / (geometry.width_screen * ratio),
            "y": 1.0 / (geometry.height_screen * ratio),
        }


def mapping_for(name: str, source_id: str, file: Path | None = None) -> Mapping | None:
    """Return the user's description of a stream, if any.

    Raises
    ------
    StreamLayoutError
        If the file cannot be understood; names the file and the word.
    """
    path = file or mapping_path()
    if not path.exists():
        return None
    for mapping in read_mappings(path):
        if mapping.stream in (name, source_id):
            return mapping
    return None


def read_mappings(path: Path) -> list[Mapping]:
    """Read a mapping file.

    Raises
    ------
    StreamLayoutError
        If it cannot be read or understood; names the file and the word.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise StreamLayoutError(f"The LSL mapping {path} cannot be read: {error}.") from error
    streams = data.get("stream") if isinstance(data, dict) else None
    if not isinstance(streams, list) or not all(isinstance(s, dict) for s in streams):
        raise StreamLayoutError(f"The LSL mapping {path} has no [[stream]].")
    return [_mapping(stream, path) for stream in streams]


def _mapping(stream: dict[str, Any], path: Path) -> Mapping:
    name = stream.get("name")
    if not isinstance(name, str) or not name:
        raise StreamLayoutError(f"{path}: each [[stream]] needs a name (or a source_id as name).")
    where = f'{path}, stream "{name}"'
    unknown = set(stream) - {"name", "unit", "y", "channels"}
    if unknown:
        raise StreamLayoutError(f"{where}: {', '.join(sorted(unknown))} is not a known key.")
    unit, y = stream.get("unit"), stream.get("y", "down")
    if unit is not None and unit not in UNITS:
        raise StreamLayoutError(f"{where}: unit is {unit!r}; it must be one of {', '.join(UNITS)}.")
    if y not in ("down", "up"):
        raise StreamLayoutError(f"{where}: y is {y!r}; it must be down or up.")
    channels = stream.get("channels", {})
    wrong = [k for k, v in channels.items() if k not in _PLACES or not isinstance(v, int | str)]
    if wrong:
        raise StreamLayoutError(
            f"{where}: {wrong[0]} is not a channel. Known channels: {', '.join(_PLACES)}."
        )
    return Mapping(name, unit, y == "up", dict(channels))


def _index(place: Place, labels: tuple[str, ...], name: str, where: str) -> int:
    if isinstance(place, int) and 0 <= place < len(labels):
        return place
    if isinstance(place, str) and place in labels:
        return labels.index(place)
    raise StreamLayoutError(
        f"{where}: {name} = {place!r} is not one of its {len(labels)} channels "
        f"({', '.join(labels)})."
    )


def _columns(found: dict[str, int], scales: dict[str, float], y_up: bool) -> list[Column]:
    columns = []
    for eye in ("left", "right"):
        valid = found.get(f"{eye}_valid", found.get("valid"))
        for name, suffix in _FIELDS.items():
            index = found.get(f"{eye}_{name}", found.get(name))
            if index is not None:
                flipped = name == "y" and y_up
                scale = scales.get(name, 1.0)
                columns.append(Column(f"{eye}_{suffix}", index, scale, flipped, valid))
    return columns
