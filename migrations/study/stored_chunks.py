"""Whether stored gaze can be read: every chunk compared with its row, recording and readings.

The codec is `devices.gaze.chunks`; here its blobs are only unpacked and counted, which needs only
zlib. A blob of version 1 begins with the host times of its samples, 8 bytes each.
"""

import zlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import GazeChunk, Reading, Recording

CODEC_VERSION = 1
SAMPLE_BYTES = 72
"""Bytes of one unpacked sample of codec version 1."""
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class ChunkFault:
    """Something that is wrong with the gaze of a recording.

    Attributes
    ----------
    text
        What is wrong, with the number of the chunk.
    reading_ids
        The readings that it affects.
    is_loss
        Whether gaze is lost; otherwise only a count is wrong, which can be computed again.
    """

    text: str
    reading_ids: tuple[str, ...]
    is_loss: bool = True


@dataclass(frozen=True, slots=True)
class _Span:
    """A reading's time in its session, on the host clock; the end is excluded."""

    reading_id: str
    started_us: int
    ended_us: int
    sample_count: int | None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The columns of `gaze_chunk`."""

    id: str
    sequence: int
    first_us: int
    last_us: int
    count: int
    codec_version: int
    crc32: int
    blob: bytes


def has_right_checksum(blob: bytes, crc32: int) -> bool:
    """Tell whether a blob is unchanged; faster than decoding it."""
    return zlib.crc32(blob) == crc32


def gaze_faults(rows: OrmSession) -> Iterator[ChunkFault]:
    """Yield what is wrong with the gaze of a study, recording by recording.

    A wrong count is reported only where no damaged chunk would explain it.
    """
    spans = _spans(rows)
    counted: dict[str, int] = defaultdict(int)
    touched: set[str] = set()
    # Columns by name, because the check also reads studies with older schemas.
    columns = (Recording.id, Recording.session_id, Recording.state, Recording.sample_count,
               Recording.started_us, Recording.ended_us)  # fmt: skip
    for recording in rows.execute(select(*columns).order_by(Recording.id)).all():
        own = spans.get(recording.session_id, [])
        for fault in _faults_of(rows, recording, own, counted):
            touched.update(fault.reading_ids)
            yield fault
    for span in (s for each in spans.values() for s in each):
        found = counted[span.reading_id]
        if span.sample_count not in (None, found) and span.reading_id not in touched:
            yield ChunkFault(
                f"its row says {span.sample_count} samples, but its chunks contain {found}",
                (span.reading_id,),
                is_loss=found < (span.sample_count or 0),
            )


def _spans(rows: OrmSession) -> dict[str, list[_Span]]:
    """Return the readings that ended, by session."""
    found: dict[str, list[_Span]] = defaultdict(list)
    columns = (Reading.id, Reading.started_us, Reading.ended_us, Reading.sample_count)
    query = select(Reading.session_id, *columns).where(Reading.ended_us.is_not(None))
    for row in rows.execute(query.order_by(Reading.started_us)):
        values: tuple[Any, ...] = tuple(row)
        found[values[0]].append(_Span(*values[1:]))
    return found


def _faults_of(
    rows: OrmSession, recording: Any, spans: list[_Span], counted: dict[str, int]
) -> Iterator[ChunkFault]:
    """Yield the faults of one recording, and count the samples of each of its readings."""
    expected, held, is_whole = 0, 0, True
    chunks = rows.execute(
        select(*(getattr(GazeChunk, field.name) for field in fields(_Chunk)))
        .where(GazeChunk.recording_id == recording.id)
        .order_by(GazeChunk.sequence)
        .execution_options(yield_per=64)
    )
    for values in chunks:
        chunk = _Chunk(*values)
        if chunk.sequence != expected:
            is_whole = False
            yield _gap(recording, expected, chunk, spans)
        expected = chunk.sequence + 1
        fault, times_us = _fault_and_times(chunk)
        if fault:
            is_whole = False
            yield ChunkFault(
                f"chunk {chunk.sequence} of recording {recording.id} ({chunk.id}): {fault}",
                _touched(spans, chunk.first_us, chunk.last_us),
            )
        held += chunk.count
        _count(times_us, spans, counted)
    if is_whole and recording.state != "open" and held != recording.sample_count:
        yield ChunkFault(
            f"recording {recording.id}: its row says {recording.sample_count} samples, but its "
            f"chunks contain {held}",
            tuple(s.reading_id for s in spans if _lies_in(s, recording)),
            is_loss=held < recording.sample_count,
        )


def _gap(recording: Any, expected: int, chunk: _Chunk, spans: list[_Span]) -> ChunkFault:
    last = chunk.sequence - 1
    which = f"chunk {expected} is" if last == expected else f"chunks {expected} to {last} are"
    before_us = max((s.started_us for s in spans if s.started_us <= chunk.first_us), default=0)
    return ChunkFault(
        f"{which} missing from recording {recording.id}",
        _touched(spans, before_us, chunk.first_us),
    )


def _lies_in(span: _Span, recording: Any) -> bool:
    ended_us = recording.ended_us
    return span.ended_us > recording.started_us and (
        ended_us is None or span.started_us <= ended_us
    )


def _touched(spans: Iterable[_Span], first_us: int, last_us: int) -> tuple[str, ...]:
    inside = (s for s in spans if s.started_us <= last_us and first_us < s.ended_us)
    return tuple(s.reading_id for s in inside)


def _count(times_us: "array[int]", spans: Iterable[_Span], counted: dict[str, int]) -> None:
    if not times_us:
        return
    for span in spans:
        if span.started_us <= times_us[-1] and times_us[0] < span.ended_us:
            inside = bisect_left(times_us, span.ended_us) - bisect_left(times_us, span.started_us)
            counted[span.reading_id] += inside


def _fault_and_times(chunk: _Chunk) -> tuple[str, "array[int]"]:
    """Return what is wrong with a chunk, and the host times of its samples if it is sound.

    Everything is checked: version, checksum, the compressed stream to its end, the number of
    samples, and the first and last time against the row.
    """
    times_us = array("q")
    if chunk.codec_version != CODEC_VERSION:
        return (
            f"codec version {chunk.codec_version} is not known to this version of Foveate",
            times_us,
        )
    if not has_right_checksum(chunk.blob, chunk.crc32):
        return "its checksum does not match", times_us
    size = chunk.count * SAMPLE_BYTES
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(chunk.blob, max(size, 0) + 1)
    except zlib.error as error:
        return f"it cannot be decompressed ({error})", times_us
    if len(raw) != size or not stream.eof:
        return f"it does not contain the {chunk.count} samples that its row says", times_us
    times_us.frombytes(raw[: chunk.count * _TIME_BYTES])
    if times_us and (times_us[0], times_us[-1]) != (chunk.first_us, chunk.last_us):
        return "the times of its samples differ from those in its row", array("q")
    return "", times_us
