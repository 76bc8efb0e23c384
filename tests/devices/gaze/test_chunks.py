import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from devices.gaze.chunks import (
    CODEC_VERSION,
    checked_columns,
    decode_chunk,
    encode_chunk,
    from_columns,
    in_order,
    join_chunks,
)
from devices.gaze.errors import ChunkError, GazeError
from devices.gaze.samples import SAMPLE_DTYPE, empty_samples

_ANY_SAMPLES = hnp.arrays(
    np.uint8, st.integers(0, 20).map(lambda n: n * SAMPLE_DTYPE.itemsize)
).map(lambda raw: raw.view(SAMPLE_DTYPE))


def _run(count, start_us=0):
    samples = empty_samples(count)
    samples["host_us"] = start_us + np.arange(count) * 8_333
    samples["left_x_norm"] = np.linspace(0, 1, count)
    return samples


@given(_ANY_SAMPLES)
def test_any_samples_come_back_bit_for_bit(samples):
    blob = encode_chunk(samples)
    back = decode_chunk(blob, len(samples), zlib.crc32(blob))
    assert back.dtype == SAMPLE_DTYPE
    assert back.tobytes() == samples.tobytes()


def test_decoded_samples_can_be_written_to_and_do_not_share_the_blob():
    back = decode_chunk(encode_chunk(_run(5)), 5)
    back["host_us"] += 1
    assert back["host_us"][0] == 1


def test_many_chunks_at_once_are_each_chunk_alone_joined():
    parts = [_run(3), _run(0), _run(7, 50_000), _run(2, 10_000)]
    columns = [checked_columns(encode_chunk(part), len(part)) for part in parts]
    together = in_order(from_columns(columns, [len(part) for part in parts]))
    assert together.tobytes() == join_chunks(parts).tobytes()


def test_the_layout_is_that_of_the_documentation():
    samples = _run(3)
    raw = zlib.decompress(encode_chunk(samples))
    assert np.frombuffer(raw, "<i8", 3).tolist() == samples["host_us"].tolist()
    offset = 2 * 8 * 3
    assert np.frombuffer(raw, "<f4", 3, offset).tolist() == samples["left_x_norm"].tolist()


def test_gaze_packs_well_below_its_raw_size():
    samples = _run(300)
    assert len(encode_chunk(samples)) < 0.5 * samples.nbytes


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_fails_the_checksum(place, change):
    blob = encode_chunk(_run(50))
    crc32 = zlib.crc32(blob)
    damaged = bytearray(blob)
    damaged[place % len(blob)] ^= change
    with pytest.raises(ChunkError, match="does not match its checksum"):
        decode_chunk(bytes(damaged), 50, crc32)


@pytest.mark.parametrize("cut", [0, 1, 10])
def test_a_truncated_blob_is_refused_also_without_a_checksum(cut):
    blob = encode_chunk(_run(50))
    with pytest.raises(ChunkError, match="cannot be decompressed"):
        decode_chunk(blob[:cut], 50)


def test_bytes_that_are_no_chunk_are_refused():
    with pytest.raises(ChunkError, match="cannot be decompressed"):
        decode_chunk(b"not a chunk at all", 1)


@pytest.mark.parametrize("count", [0, 49, 51, 10**9])
def test_a_chunk_of_another_length_is_refused(count):
    with pytest.raises(ChunkError, match=f"which do not make {count} samples"):
        decode_chunk(encode_chunk(_run(50)), count)


def test_a_chunk_of_an_unknown_version_is_refused_by_both_numbers():
    with pytest.raises(
        GazeError, match=f"version 99, but this version of Foveate reads {CODEC_VERSION}"
    ):
        decode_chunk(encode_chunk(_run(1)), 1, codec_version=99)


def test_chunks_join_in_order_of_host_time():
    joined = join_chunks([_run(3, start_us=100_000), _run(4)])
    assert len(joined) == 7
    assert (np.diff(joined["host_us"]) > 0).all()
    assert len(join_chunks([])) == 0
    assert join_chunks(iter([])).dtype == SAMPLE_DTYPE
