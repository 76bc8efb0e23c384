"""XDF as LabRecorder writes it: gaze streams and the markers that say what was shown.

A gaze stream is told by its type or by channels that can be understood as the station does live;
times are already corrected by the stream's clock offsets (pyxdf). A marker that names an image
begins its reading, the next marker ends it; without markers the file's name is the image's.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceFile,
    SourceReading,
)
from app.interchange.options import ImportOptions
from app.interchange.places import fitted_screen, shown_at
from app.interchange.tables import microseconds
from devices.errors import DeviceError
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import read_bytes
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import SampleArray, gaze_norm
from devices.lsl.channels import layout_of
from devices.lsl.layouts import Channel

ASSUMED_SCREEN = ScreenGeometry(1920, 1080, 1920 * 0.27, 1080 * 0.27)
MISSING = 'XDF is read with pyxdf, which is not installed: pip install -e ".[interchange]"'


def read_xdf(path: Path, options: ImportOptions) -> SourceFile:
    """Read all gaze of one file.

    Raises
    ------
    GazeFileError
        If it is no XDF, or holds no gaze stream that can be understood.
    """
    streams = _streams(path)
    screen = options.screen or ASSUMED_SCREEN
    gaze, why = [], []
    for stream in streams:
        try:
            gaze += [_gaze(stream, screen)] if _may_be_gaze(stream) else []
        except DeviceError as error:
            why.append(str(error))
    if not gaze:
        kinds = ", ".join(f"{s['info']['name'][0]} ({s['info']['type'][0]})" for s in streams)
        raise GazeFileError(
            f"{path} holds no gaze stream ({kinds or 'no stream at all'}). {' '.join(why)}"
        )
    samples, time_us = max(gaze, key=lambda found: len(found[1]))
    counts = RowCounts(len(time_us))
    spans = _spans(streams, path)
    readings = [_reading(name, samples, time_us, span, screen, options) for name, span in spans]
    kept = [r for r in readings if r.time_us is not None and len(r.time_us)]
    inside = np.zeros(len(time_us), bool)
    for _, (first, last) in spans:
        inside |= (time_us >= first) & (time_us < last)
    if not inside.all():
        counts.dropped["outside every marked image"] = int((~inside).sum())
    return SourceFile(kept, counts)


def _streams(path: Path) -> list[Any]:
    try:
        import pyxdf
    except ModuleNotFoundError as error:
        raise GazeFileError(MISSING) from error
    if read_bytes(path, 4)[:4] != b"XDF:" and path.suffix.lower() != ".xdfz":
        raise GazeFileError(f"{path} cannot be read as XDF (it does not begin with `XDF:`).")
    try:
        streams, _header = pyxdf.load_xdf(str(path))
    except Exception as error:  # pyxdf raises whatever its parser meets
        raise GazeFileError(f"{path} cannot be read as XDF ({error}).") from error
    return list(streams)


def _may_be_gaze(stream: Any) -> bool:
    kind = str(stream["info"]["type"][0] or "").lower()
    values = stream["time_series"]
    return isinstance(values, np.ndarray) and values.ndim == 2 and ("gaze" in kind or "eye" in kind)


def _gaze(stream: Any, screen: ScreenGeometry) -> tuple[SampleArray, IntArray]:
    layout = layout_of(str(stream["info"]["name"][0]), _channels(stream), screen)
    samples = layout.samples(np.asarray(stream["time_series"], np.float64))
    time_us = microseconds(np.asarray(stream["time_stamps"], np.float64), "s")
    problem = layout.contradiction(gaze_norm(samples))
    if problem is not None:
        raise GazeFileError(problem)
    return samples, time_us


def _channels(stream: Any) -> list[Channel]:
    try:
        found = stream["info"]["desc"][0]["channels"][0]["channel"]
    except (KeyError, IndexError, TypeError):
        count = int(stream["info"]["channel_count"][0])
        return [Channel("") for _ in range(count)]
    return [
        Channel(*(str((c.get(k) or [""])[0] or "") for k in
                  ("label", "eye", "type", "unit", "coordinate_system")))
        for c in found
    ]  # fmt: skip


def _spans(streams: list[Any], path: Path) -> list[tuple[str, tuple[int, int]]]:
    """Return the images that were shown, each with its first and the next one's first time."""
    marks = sorted(
        (round(float(t) * 1e6), _image_of(str(value[0])))
        for stream in streams
        if not isinstance(stream["time_series"], np.ndarray)
        for t, value in zip(stream["time_stamps"], stream["time_series"], strict=True)
    )
    ends = [time for time, _ in marks[1:]] + [np.iinfo(np.int64).max]
    spans = [(image, (time, end)) for (time, image), end in zip(marks, ends, strict=False) if image]
    return spans or [(path.stem, (np.iinfo(np.int64).min, np.iinfo(np.int64).max))]


def _image_of(marker: str) -> str:
    """Return the image a marker names; empty for one that ends a reading."""
    text = marker.strip()
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return ""
        return str(found.get("image") or found.get("stimulus") or "")
    head, _, rest = text.partition(":")
    if rest and head.strip().lower() in ("image", "stimulus", "show", "open", "case"):
        return rest.strip()
    return "" if text.lower() in _ENDS else text


_ENDS = {"", "end", "stop", "close", "done", "finish", "finished", "pause"}


def _reading(
    name: str,
    samples: SampleArray,
    time_us: IntArray,
    span: tuple[int, int],
    screen: ScreenGeometry,
    options: ImportOptions,
) -> SourceReading:
    chosen = (time_us >= span[0]) & (time_us < span[1])
    own, to_px = samples[chosen], screen.norm_to_screen
    eyes: Callable[[Any], FloatArray] = lambda side: to_px(gaze_norm(own, side))  # noqa: E731
    lacks = () if options.screen and options.shown else ("geometry",)
    place = shown_at(*options.shown) if options.shown else fitted_screen(screen)
    return SourceReading(
        image=name,
        points_canvas=to_px(gaze_norm(own)),
        time_us=time_us[chosen],
        place=place,
        eyes_canvas=(eyes("left"), eyes("right")),
        pupils_mm=np.column_stack((own["left_pupil_mm"], own["right_pupil_mm"])).astype(np.float64),
        screen=screen,
        lacks=lacks,
        details={"time_base": "LSL local clock"},
    )
