"""Readings as bytes between the reading process and the station; nothing is unpickled.

A message is one line of JSON and the arrays it names, each as its own bytes.
"""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.interchange.foreign_reading import SourceAnnotation, SourceFixations, SourceReading
from app.interchange.notes import Note
from app.interchange.options import ImportOptions
from app.interchange.places import Place, Placement
from devices.gaze.geometry import ScreenGeometry

Message = dict[str, Any]
_TYPES = {"f": np.dtype("<f8"), "i": np.dtype("<i8")}


def packed(message: Message, arrays: dict[str, NDArray[Any] | None]) -> bytes:
    """Return a message and its arrays as bytes; None is left out."""
    kept = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
    about = {name: [a.dtype.kind, list(a.shape)] for name, a in kept.items()}
    head = json.dumps(message | {"arrays": about}).encode()
    parts = [head, b"\n"]
    for array in kept.values():
        parts.append(array.astype(_TYPES[array.dtype.kind], copy=False).tobytes())
    return b"".join(parts)


def unpacked(data: bytes) -> tuple[Message, dict[str, NDArray[Any]]]:
    """Return what `packed` was given.

    Raises
    ------
    ValueError
        If it is not a message.
    """
    end = data.index(b"\n")
    message = json.loads(data[:end])
    arrays, at = {}, end + 1
    for name, (kind, shape) in message.pop("arrays").items():
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(data, _TYPES[kind], count, at).reshape(shape).copy()
        at += count * 8
    return message, arrays


def pack_reading(reading: SourceReading) -> bytes:
    """Return a reading as bytes."""
    eyes, found = reading.eyes_canvas, reading.fixations
    arrays: dict[str, NDArray[Any] | None] = {
        "points": reading.points_canvas, "time_us": reading.time_us, "pupils": reading.pupils_mm,
        "left": eyes[0] if eyes else None, "right": eyes[1] if eyes else None,
        "fixation_start": found.start_us if found else None,
        "fixation_duration": found.duration_us if found else None,
        "fixation_points": found.points_canvas if found else None,
    }  # fmt: skip
    plain = {
        name: getattr(reading, name)
        for name in (
            "image", "reader", "lacks", "border_clamped", "rows", "details", "participant",
            "own_id",
        )
    }  # fmt: skip
    message = {
        "kind": "reading",
        "plain": plain,
        "place": asdict(reading.place),
        "screen": reading.screen.as_dict() if reading.screen else None,
        "fixation_place": asdict(found.place) if found else None,
        "annotations": [asdict(mark) for mark in reading.annotations],
        "notes": [asdict(each) for each in reading.notes],
    }
    return packed(message, arrays)


def unpack_reading(message: Message, arrays: dict[str, NDArray[Any]]) -> SourceReading:
    """Return the reading of a message."""
    plain = dict(message["plain"])
    plain["lacks"] = tuple(plain["lacks"])
    fixations = None
    if message["fixation_place"] is not None:
        fixations = SourceFixations(
            arrays["fixation_start"], arrays["fixation_duration"], arrays["fixation_points"],
            _place(message["fixation_place"]),
        )  # fmt: skip
    return SourceReading(
        points_canvas=arrays["points"],
        time_us=arrays.get("time_us"),
        place=_place(message["place"]),
        eyes_canvas=(arrays["left"], arrays["right"]) if "left" in arrays else None,
        pupils_mm=arrays.get("pupils"),
        screen=ScreenGeometry.from_dict(message["screen"]) if message["screen"] else None,
        fixations=fixations,
        annotations=tuple(SourceAnnotation(**mark) for mark in message["annotations"]),
        notes=notes_of(message["notes"]),
        **plain,
    )


def notes_of(rows: list[dict[str, str]]) -> tuple[Note, ...]:
    """Return the notes of a message."""
    return tuple(Note(**row) for row in rows)


def _place(fields: Message) -> Place:
    return Place(
        fields["rule"],
        tuple(fields["values"]),
        tuple(_placement(each) for each in fields["listed"]),
        tuple((int(first), int(frame)) for first, frame in fields["frames"]),
    )


def _placement(fields: Message) -> Placement:
    rect = fields["rect_canvas"]
    return Placement(**(fields | {"rect_canvas": None if rect is None else tuple(rect)}))


def options_as_dict(options: ImportOptions) -> Message:
    """Return options, ready for JSON."""
    return asdict(options)


def options_of(fields: Message) -> ImportOptions:
    """Return the options of a message."""
    screen, shown = fields["screen"], fields["shown"]
    return ImportOptions(
        **(
            fields
            | {
                "screen": ScreenGeometry.from_dict(screen) if screen else None,
                "shown": tuple(shown) if shown else None,
            }
        )
    )
