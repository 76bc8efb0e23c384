"""The image cache: what it holds, when it is made again, what it refuses."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from trainer.data import cache_build
from trainer.data.broken import open_sound
from trainer.data.cache import Source, cache_side, open_cache
from trainer.data.cache_build import reserved
from trainer.errors import BrokenPictures, Cancelled, ImageCacheError


def write_png(path: Path, pixels: np.ndarray) -> None:
    cv2.imencode(".png", pixels)[1].tofile(path)


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    made = []
    for number, (width, height) in enumerate([(64, 96), (200, 50), (48, 48)]):
        path = tmp_path / f"{number}.png"
        write_png(path, np.full((height, width), 40 * (number + 1), dtype=np.uint8))
        made.append(Source(f"image-{number}", f"{number:064x}", width, height, path))
    return made


def test_each_image_fills_its_box_and_the_rest_is_black(tmp_path: Path, sources) -> None:
    done: list[tuple[int, int]] = []
    cache = open_cache(tmp_path, sources, 32, progress=lambda d, t: done.append((d, t)))
    assert cache.side == cache_side(32) == 48
    assert cache.boxes.tolist() == [[32, 48], [48, 12], [48, 48]]
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert all(len(f) == 64 for f in cache.fingerprints)
    for number, (width, height) in enumerate([(32, 48), (48, 12), (48, 48)]):
        expected = torch.zeros(48, 48, dtype=torch.uint8)
        expected[:height, :width] = 40 * (number + 1)
        assert torch.equal(cache.pixels[number], expected)


def test_a_batch_comes_in_the_order_asked_for(tmp_path: Path, sources) -> None:
    cache = open_cache(tmp_path, sources, 32)
    batch = cache.batch(torch.tensor([2, 0]), torch.device("cpu"))
    assert batch.shape == (2, 1, 48, 48)
    assert batch[:, 0, 0, 0].tolist() == [120, 40]


def test_a_cache_that_is_there_is_used_again(tmp_path: Path, sources) -> None:
    open_cache(tmp_path, sources, 32)
    calls: list[int] = []
    open_cache(tmp_path, sources, 32, progress=lambda d, t: calls.append(d))
    assert calls == []
    assert len(list(tmp_path.glob("images-32-*.npy"))) == 1


def test_another_presentation_of_an_image_makes_another_cache(tmp_path: Path, sources) -> None:
    open_cache(tmp_path, sources, 32)
    write_png(sources[0].presentation, np.full((96, 64), 250, dtype=np.uint8))
    cache = open_cache(tmp_path, sources, 32)
    assert int(cache.pixels[0, 0, 0]) == 250


def test_writing_to_the_cache_never_reaches_the_file(tmp_path: Path, sources) -> None:
    open_cache(tmp_path, sources, 32).pixels.zero_()
    assert int(open_cache(tmp_path, sources, 32).pixels[0, 0, 0]) == 40


def test_a_missing_png_is_named(tmp_path: Path, sources) -> None:
    sources[1].presentation.unlink()
    with pytest.raises(ImageCacheError, match=r"image-1.*1\.png is missing"):
        open_cache(tmp_path, sources, 32)


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_a_damaged_png_is_named_and_nothing_half_made_is_left(
    tmp_path: Path, sources, content: bytes
) -> None:
    sources[2].presentation.write_bytes(content)
    with pytest.raises(ImageCacheError, match=r"image-2.*damaged"):
        open_cache(tmp_path, sources, 32)
    assert list(tmp_path.glob("images-*")) == []


def test_a_png_of_another_shape_than_the_database_says_is_refused(tmp_path: Path, sources) -> None:
    write_png(sources[0].presentation, np.zeros((64, 96), dtype=np.uint8))
    with pytest.raises(ImageCacheError, match=r"image-0.*96 × 64.*64 × 96"):
        open_cache(tmp_path, sources, 32)


def test_stopping_leaves_nothing_half_made(tmp_path: Path, sources) -> None:
    with pytest.raises(Cancelled):
        open_cache(tmp_path, sources, 32, cancelled=lambda: True)
    assert list(tmp_path.glob("images-*")) == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="only Linux reserves space")
def test_the_space_of_a_cache_is_taken_before_it_is_mapped(tmp_path: Path) -> None:
    mapped = reserved(tmp_path / "new", (40, 100, 100))
    assert (mapped.shape, mapped.dtype, int(mapped.max())) == ((40, 100, 100), np.uint8, 0)
    assert (tmp_path / "new").stat().st_blocks * 512 >= 400_000


def test_where_space_cannot_be_reserved_it_is_written(tmp_path: Path, monkeypatch) -> None:
    def cannot(*_) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", cannot, raising=False)
    mapped = reserved(tmp_path / "new", (50, 300, 300))
    assert (mapped.shape, int(mapped.max())) == ((50, 300, 300), 0)
    if hasattr(os.stat_result, "st_blocks"):
        assert (tmp_path / "new").stat().st_blocks * 512 >= 4_500_000


def test_a_full_disk_is_said_with_what_it_takes(tmp_path: Path, sources, monkeypatch) -> None:
    def full(*_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(
        ImageCacheError, match=r"The disk .* is full.*It needs 0\.0 MB, .* are free"
    ):
        open_cache(tmp_path, sources, 32)
    assert list(tmp_path.glob("images-*")) == []


def test_what_a_killed_process_left_is_swept_and_what_others_make_stays(
    tmp_path: Path, sources
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine = cache_build._machine()
    left = [f"images-32-0.partial-{ended.pid}", f"images-32-0.partial-{machine}-{ended.pid}"]
    kept = [f"images-32-0.partial-{machine}-{os.getppid()}", f"a.partial-elsewhere-{ended.pid}"]
    for name in left + kept:
        (tmp_path / name).write_bytes(b"half")
    open_cache(tmp_path, sources, 32)
    assert sorted(p.name for p in tmp_path.glob("*.partial-*")) == sorted(kept)


def break_some(sources: list[Source]) -> None:
    sources[0].presentation.write_bytes(b"no image at all")
    write_png(sources[2].presentation, np.zeros((20, 90), dtype=np.uint8))


def test_every_broken_picture_is_named_at_once(tmp_path: Path, sources) -> None:
    break_some(sources)
    with pytest.raises(BrokenPictures) as caught:
        open_cache(tmp_path, sources, 32)
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 of 3 pictures cannot be used:"
    assert "image-0" in lines[1]
    assert "0.png is damaged or not an image" in lines[1]
    assert "image-2" in lines[2]
    assert "90 × 20 pixels, but the database says 48 × 48" in lines[2]
    assert "skip_broken to true" in lines[3]


def test_every_missing_picture_is_named_at_once(tmp_path: Path, sources) -> None:
    for source in sources[:2]:
        source.presentation.unlink()
    with pytest.raises(BrokenPictures, match=r"image-0.*0\.png is missing(.|\n)*image-1.*1\.png"):
        open_cache(tmp_path, sources, 32)


def test_broken_pictures_are_left_out_if_asked_and_not_looked_at_again(
    tmp_path: Path, sources, monkeypatch
) -> None:
    more = [
        Source(f"more-{n}", "", 48, 48, sources[2].presentation.with_name(f"m{n}.png"))
        for n in range(2)
    ]
    for source in more:
        write_png(source.presentation, np.full((48, 48), 200, dtype=np.uint8))
    break_some(sources)
    more[0].presentation.unlink()
    every = [*sources, *more]
    cache, broken = open_sound(tmp_path, every, 32)
    assert list(broken) == [0, 2, 3]
    assert "is missing" in broken[3]
    assert cache.pixels[:, 0, 0].tolist() == [80, 200]
    monkeypatch.setattr(cache_build, "decode_all", lambda *_: pytest.fail("decoded anew"))
    again, same = open_sound(tmp_path, every, 32)
    assert same == broken
    assert torch.equal(again.pixels, cache.pixels)


def test_with_fewer_than_two_sound_pictures_nothing_is_left_to_train_on(
    tmp_path: Path, sources
) -> None:
    break_some(sources)
    with pytest.raises(BrokenPictures, match="2 of 3 pictures cannot be used"):
        open_sound(tmp_path, sources, 32)
