"""The image cache: what it holds, when it is made again, what it refuses."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from trainer.data.cache import Source, cache_side, open_cache
from trainer.errors import Cancelled, ImageCacheError


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
