"""The chunk codec: a run of samples as one checked, compressed blob. No pickle."""

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from devices.gaze.errors import ChunkError
from devices.gaze.samples import SAMPLE_DTYPE, SampleArray, empty_samples

CODEC_VERSION = 1
_CHUNK_BYTES_PER_SAMPLE = SAMPLE_DTYPE.itemsize


def encode_chunk(samples: SampleArray) -> bytes:
    """Return samples as a zlib-compressed blob, column after column, little-endian.

    Columns lie in the order of `SAMPLE_DTYPE`; like values side by side compress better, and
    any language can read them back with zlib and an offset.
    """
    columns = [np.ascontiguousarray(samples[name]).tobytes() for name in SAMPLE_DTYPE.names or ()]
    return zlib.compress(b"".join(columns), level=1)


def decode_chunk(
    blob: bytes, count: int, crc32: int | None = None, codec_version: int = CODEC_VERSION
) -> SampleArray:
    """Return the samples of a blob made by `encode_chunk`.

    Parameters
    ----------
    blob, count, crc32, codec_version
        As stored in the table `gaze_chunk`; `crc32` is of the blob.

    Raises
    ------
    ChunkError
        If the blob is damaged, of another length or of an unknown version.
    """
    return from_columns([checked_columns(blob, count, crc32, codec_version)], [count])


def checked_columns(
    blob: bytes, count: int, crc32: int | None = None, codec_version: int = CODEC_VERSION
) -> bytes:
    """Return a blob's columns, uncompressed and checked: what `from_columns` takes.

    Raises
    ------
    ChunkError
        As `decode_chunk`.
    """
    if codec_version != CODEC_VERSION:
        raise ChunkError(
            f"The gaze chunk has codec version {codec_version}, but this version of Foveate reads "
            f"{CODEC_VERSION}."
        )
    if crc32 is not None and zlib.crc32(blob) != crc32:
        raise ChunkError(
            "The gaze chunk does not match its checksum: the database file is damaged."
        )
    size = count * _CHUNK_BYTES_PER_SAMPLE
    raw = _decompressed(blob, size)
    if len(raw) != size:
        raise ChunkError(f"The gaze chunk has {len(raw)} bytes, which do not make {count} samples.")
    return raw


def from_columns(chunks: Sequence[bytes], counts: Sequence[int]) -> SampleArray:
    """Return the samples of checked chunks, one after the other as they come.

    A reading has hundreds of chunks, so their columns are joined as bytes, once each.
    """
    samples = np.empty(sum(counts), dtype=SAMPLE_DTYPE)
    offset = 0
    for name in SAMPLE_DTYPE.names or ():
        size = SAMPLE_DTYPE[name].itemsize
        parts = (
            raw[offset * count : (offset + size) * count]
            for raw, count in zip(chunks, counts, strict=True)
        )
        samples[name] = np.frombuffer(b"".join(parts), dtype=SAMPLE_DTYPE[name])
        offset += size
    return samples


def _decompressed(blob: bytes, size: int) -> bytes:
    """Decompress at most one byte beyond the expected size, so that no bomb is unpacked."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(blob, max(size, 0) + 1)
    except zlib.error as error:
        raise ChunkError(f"The gaze chunk cannot be decompressed: {error}.") from error
    if not stream.eof and len(raw) <= size:
        raise ChunkError("The gaze chunk cannot be decompressed: the stream is incomplete.")
    return raw


def join_chunks(chunks: Iterable[SampleArray]) -> SampleArray:
    """Return chunks as one array of samples in order of host time."""
    parts = list(chunks)
    if not parts:
        return empty_samples(0)
    # Filled part by part: `concatenate` looks through all fields of a record for each part.
    joined, end = empty_samples(sum(map(len, parts))), 0
    for part in parts:
        joined[end : end + len(part)] = part
        end += len(part)
    return in_order(joined)


def in_order(samples: SampleArray) -> SampleArray:
    """Return samples in order of host time; equal times keep their order."""
    times = samples["host_us"]
    if (times[1:] >= times[:-1]).all():
        return samples
    return samples[np.argsort(times, kind="stable")]
