"""XDF as written by LabRecorder: gaze streams, and the markers that say what was shown.

A gaze stream is recognised by its type and by channels that the station also understands live; if
there are several, one must be named. Time stamps are used as sent, moved to the recorder's clock by
the stream's clock offsets: nothing is smoothed, so that a gap stays a gap. A marker that names an
image begins its reading and the next marker ends it; without markers, the file's name is the
image's.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.foreign_reading import IntArray, RowCounts, SourceFile, SourceReading
from app.interchange.formats.xdf_chunks import check_chunks
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions
from app.interchange.places import fitted_screen, shown_at
from app.interchange.tables import microseconds
from devices.errors import DeviceError
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import SampleArray, gaze_norm
from devices.lsl.channels import layout_of
from devices.lsl.layouts import Channel
from migrations.study.processes import as_typed

ASSUMED_SCREEN = ScreenGeometry(1920, 1080, 1920 * 0.27, 1080 * 0.27)
MISSING = as_typed(
    'XDF is read with pyxdf, which is not installed: pip install -e ".[interchange]"'
)
_GAP_US = 200_000
_RESET_S = 5.0
"""A clock offset that jumps by more than this between two consecutive ones was reset."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A gaze stream, or several from one sender that was restarted."""

    about: str
    keys: tuple[str, ...]
    samples: SampleArray
    time_us: IntArray
    notes: tuple[Note, ...] = ()


def read_xdf(path: Path, options: ImportOptions) -> SourceFile:
    """Read the gaze of one file.

    Raises
    ------
    GazeFileError
        If it is no XDF or too large, holds no gaze stream that can be understood, or several of
        which none is named.
    """
    is_cut = check_chunks(path)
    streams = _streams(path)
    screen = options.screen or ASSUMED_SCREEN
    found, why = _gaze_streams(streams, screen)
    chosen, notes = _chosen(path, found, streams, why, options)
    counts = RowCounts(len(chosen.time_us))
    spans, said = _spans(streams, path, options)
    readings = [
        replace(
            _reading(name, chosen.samples, chosen.time_us, span, screen, options),
            notes=_gaps(chosen.time_us, span),
        )
        for name, span in spans
    ]
    kept = [r for r in readings if r.time_us is not None and len(r.time_us)]
    inside = np.zeros(len(chosen.time_us), bool)
    for _, (first, last) in spans:
        inside |= (chosen.time_us >= first) & (chosen.time_us < last)
    if not inside.all():
        counts.dropped["outside every marked image"] = int((~inside).sum())
    cut = [note("cut-short")] if is_cut else []
    return SourceFile(kept, counts, [*cut, *notes, *chosen.notes, *said])


def _streams(path: Path) -> list[Any]:
    try:
        import pyxdf
    except ModuleNotFoundError as error:
        raise GazeFileError(MISSING) from error
    try:
        streams, _header = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    except Exception as error:  # pyxdf raises whatever error its parser meets
        raise GazeFileError(f"{path} cannot be read as XDF ({error}).") from error
    return list(streams)


def _may_be_gaze(stream: Any) -> bool:
    kind = _said(stream, "type").lower()
    values = stream["time_series"]
    return isinstance(values, np.ndarray) and values.ndim == 2 and ("gaze" in kind or "eye" in kind)


def _said(stream: Any, name: str) -> str:
    value = stream["info"].get(name)
    first = value[0] if isinstance(value, list) and value else value
    return "" if first is None or first == [] else str(first)


def _gaze_streams(streams: list[Any], screen: ScreenGeometry) -> tuple[list[_Found], list[str]]:
    """Return the gaze streams, with those of one sender joined, and why others cannot be read."""
    found: dict[tuple[str, ...], list[_Found]] = {}
    why: list[str] = []
    for number, stream in enumerate(filter(_may_be_gaze, streams), 1):
        name, sender = _said(stream, "name"), _said(stream, "source_id")
        if any(c.coordinate_system.strip().lower() == "world" for c in _channels(stream)):
            why.append(f"the gaze of {name} is in the picture of a scene camera, not on a screen")
            continue
        try:
            samples, time_us = _gaze(stream, screen)
        except (DeviceError, GazeFileError) as error:
            why.append(str(error))
            continue
        about = f"{name} ({_said(stream, 'type')}, {len(time_us)} samples)"
        keys = (name, sender, str(number), _said(stream, "stream_id"))
        own = _Found(about, keys, samples, time_us, _resets(stream))
        found.setdefault((name, sender, _said(stream, "hostname")), []).append(own)
    return [joined for parts in found.values() for joined in _joined(parts)], why


def _joined(parts: list[_Found]) -> list[_Found]:
    """Join streams of one sender that follow each other; those that overlap stay separate."""
    parts = sorted((p for p in parts if len(p.time_us)), key=lambda part: int(part.time_us[0]))
    apart = [b.time_us[0] - a.time_us[-1] for a, b in itertools.pairwise(parts)]
    if len(parts) < 2 or min(apart) < 0:
        return parts
    gaps = ", ".join(f"{gap / 1e6:.1f}" for gap in apart)
    time_us = np.concatenate([part.time_us for part in parts])
    about = parts[0].about.rsplit(",", 1)[0] + f", {len(time_us)} samples)"
    notes = (note("restarted", count=len(apart), gaps=gaps), *(n for p in parts for n in p.notes))
    keys = tuple(key for part in parts for key in part.keys)
    return [_Found(about, keys, np.concatenate([p.samples for p in parts]), time_us, notes)]


def _resets(stream: Any) -> tuple[Note, ...]:
    """Note each reset of the sender's clock: its offset jumps."""
    values = np.asarray(stream.get("clock_values", ()), np.float64)
    count = int((np.abs(np.diff(values)) > _RESET_S).sum())
    return (note("clock-reset", count=count),) if count else ()


def _chosen(
    path: Path, found: list[_Found], streams: list[Any], why: list[str], options: ImportOptions
) -> tuple[_Found, list[Note]]:
    wanted = options.stream
    if not found:
        kinds = ", ".join(f"{_said(s, 'name')} ({_said(s, 'type')})" for s in streams)
        raise GazeFileError(
            f"{path} contains no gaze stream ({kinds or 'no stream at all'}). {'; '.join(why)}"
        )
    listed = "; ".join(each.about for each in found)
    meant = found if wanted is None else [each for each in found if wanted in each.keys]
    if len(meant) != 1:
        what = "several gaze streams" if wanted is None else f"no single gaze stream {wanted}"
        raise GazeFileError(
            f"{path} contains {what}: {listed}. Choose one with --stream, by name, source id or "
            "number."
        )
    unread = [note("stream-unread", why=each) for each in why]
    if len(found) > 1:
        rest = "; ".join(each.about for each in found if each is not meant[0])
        unread.append(note("streams-left-out", streams=rest))
    return meant[0], unread


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


Mark = tuple[int, str]
Span = tuple[str, tuple[int, int]]


def _spans(streams: list[Any], path: Path, options: ImportOptions) -> tuple[list[Span], list[Note]]:
    """Return the images that were shown, each with its first time and that of the next."""
    marked = [s for s in streams if not isinstance(s["time_series"], np.ndarray)]
    stream, marks = _markers(path, marked, options)
    ends = [time for time, _ in marks[1:]] + [np.iinfo(np.int64).max]
    spans = [(image, (time, end)) for (time, image), end in zip(marks, ends, strict=False) if image]
    if spans:
        return spans, [note("markers", stream=stream)]
    every = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)
    return [(path.stem, every)], [note("markers-none")]


def _markers(path: Path, marked: list[Any], options: ImportOptions) -> tuple[str, list[Mark]]:
    """Return the stream that says what was shown, and its marks in order of time.

    A stream that explicitly names images (`image: NAME`, JSON, a file's ending) is preferred to one
    of bare words; if there are two, the user must choose.
    """
    if options.markers is not None:
        numbered = enumerate(marked, 1)
        meant = [
            s for k, s in numbered
            if options.markers in (_said(s, "name"), _said(s, "source_id"), str(k))
        ]  # fmt: skip
        if len(meant) != 1:
            names = ", ".join(_said(s, "name") for s in marked) or "none"
            raise GazeFileError(
                f"{path} has no single stream of markers {options.markers}; there are {names}."
            )
        return _said(meant[0], "name"), _marks(meant)
    naming = [s for s in marked if any(_names_image(text) for text in _texts(s))]
    if not naming:
        naming = [s for s in marked if "marker" in _said(s, "type").lower()]
    if len({_said(s, "name") for s in naming}) > 1:
        names = ", ".join(_said(s, "name") for s in naming)
        raise GazeFileError(
            f"{path} has several streams that may record what was shown: {names}. Choose one "
            "with --markers."
        )
    return (_said(naming[0], "name") if naming else ""), _marks(naming)


def _marks(streams: Sequence[Any]) -> list[Mark]:
    return sorted(
        (round(float(time) * 1e6), _image_of(text))
        for stream in streams
        for time, text in zip(stream["time_stamps"], _texts(stream), strict=True)
    )


def _texts(stream: Any) -> list[str]:
    return [str(value[0]) for value in stream["time_series"]]


def _names_image(marker: str) -> bool:
    """Whether the form of a marker shows that it names an image."""
    text = marker.strip().lower()
    return bool(_image_of(marker)) and (
        text.startswith("{") or _prefixed(text) != "" or text.rsplit(".", 1)[-1] in _ENDINGS
    )


def _prefixed(text: str) -> str:
    head, _, rest = text.partition(":")
    return rest.strip() if head.strip().lower() in _BEGINS else ""


def _image_of(marker: str) -> str:
    """Return the image that a marker names; "" for one that ends a reading."""
    text = marker.strip()
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        return str(found.get("image") or found.get("stimulus") or "")
    return _prefixed(text) or ("" if text.lower() in _ENDS else text)


_BEGINS = ("image", "stimulus", "show", "open", "case")
_ENDS = {"", "end", "stop", "close", "done", "finish", "finished", "pause"}
_ENDINGS = {"png", "jpg", "jpeg", "dcm", "dicom", "tif", "tiff", "bmp"}


def _gaps(time_us: IntArray, span: tuple[int, int]) -> tuple[Note, ...]:
    """Note the longest gap between the samples of a reading."""
    own = time_us[(time_us >= span[0]) & (time_us < span[1])]
    longest = int(np.diff(own).max()) if len(own) > 1 else 0
    return (note("gap", seconds=f"{longest / 1e6:.3f}"),) if longest > _GAP_US else ()


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
