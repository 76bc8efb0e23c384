"""Which machines are sent the image cache, and what is said where one cannot keep it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.data.cache import ImageCache, index_of
from trainer.errors import ImageCacheError
from trainer.process import distributed
from trainer.runs import machine_caches
from trainer.runs.machine_caches import opened_here


@pytest.fixture
def cache(tmp_path: Path) -> ImageCache:
    path = tmp_path / "first" / "images-1-x.npy"
    path.parent.mkdir()
    np.save(path, np.arange(12, dtype=np.uint8).reshape(3, 2, 2))
    index_of(path).write_text('{"boxes": [[2, 2], [2, 2], [2, 2]], "fingerprints": ["", "", ""]}')
    boxes = torch.full((3, 2), 2.0)
    return ImageCache(torch.from_numpy(np.load(path)), boxes, ("", "", ""), path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stand in for a second process that nothing is wrong with; return what it is sent."""
    targets: list[Path] = []

    def hand_out(source: Path, target: Path, takers: list[int]) -> str:
        assert takers == [1]
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
        targets.append(target)
        return ""

    monkeypatch.setattr(machine_caches, "hand_out", hand_out)
    monkeypatch.setattr(machine_caches, "of_each", lambda mine: [type(mine)(), mine])
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    return targets


def test_a_machine_that_sees_the_cache_is_sent_nothing(cache, sent) -> None:
    found = opened_here(cache.described(), cache.path.parent)
    assert torch.equal(found.pixels, cache.pixels)
    assert sent == []


def test_a_machine_with_a_folder_of_its_own_is_sent_what_it_lacks(cache, sent, tmp_path) -> None:
    own = tmp_path / "second"
    for _ in range(2):  # once: it is there the second time
        found = opened_here(cache.described(), own)
        assert torch.equal(found.pixels, cache.pixels)
        assert found.path == own / cache.path.name
    assert sent == [index_of(found.path), found.path]


def test_only_the_first_process_of_a_machine_asks_for_it(
    cache, sent, tmp_path, monkeypatch
) -> None:
    asked: list[object] = []
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(machine_caches, "of_each", lambda mine: asked.append(mine) or [mine])
    with pytest.raises(ImageCacheError):  # nobody made it: not there
        opened_here(cache.described(), tmp_path / "second")
    assert asked == [False, ""]
    assert sent == []


def test_what_a_machine_cannot_keep_is_said(cache, sent, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(machine_caches, "hand_out", lambda *_: "x.npy cannot be written: full")
    with pytest.raises(ImageCacheError, match=r"x\.npy cannot be written: full\. Free some disk"):
        opened_here(cache.described(), tmp_path / "second")
