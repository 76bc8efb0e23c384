"""The pictures of the docs can be made again, and are what the pages name."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from tests import ROOT
from tests.app.screenshots.__main__ import SIZE
from tests.app.screenshots.keep import PartMissing, keep

IMAGES = ROOT / "docs" / "images"
LARGEST = 200_000
"""Bytes of a picture in the repository."""
_NAMED = re.compile(r"\]\([\w/.]*images/([\w-]+\.(?:png|svg))\)")


def _shown(picture: Path) -> "np.ndarray":
    with PilImage.open(picture) as opened:
        return np.asarray(opened.convert("L"))


@pytest.mark.parametrize("picture", sorted(IMAGES.glob("*.png")), ids=lambda path: path.stem)
def test_a_picture_of_the_docs_is_small_and_shows_something(picture: Path) -> None:
    assert picture.stat().st_size < LARGEST
    grey = _shown(picture)
    assert grey.std() > 5
    assert grey.shape == SIZE[::-1]


def test_every_picture_of_the_docs_is_on_a_page_and_every_page_has_its_pictures() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {
        name
        for page in pages
        for name in re.findall(
            r"\]\([\w/.]*images/([\w-]+\.(?:png|svg))\)", page.read_text("utf-8")
        )
    }
    assert named == {path.name for path in IMAGES.iterdir()}


def test_a_picture_without_what_it_is_there_to_show_is_refused(qtbot, tmp_path: Path) -> None:
    from app.pages.progress.page import ProgressPage

    page = ProgressPage()
    qtbot.addWidget(page)
    page.show()
    keep(page, tmp_path / "empty.png", "progress_plan")
    assert _shown(tmp_path / "empty.png").std() > 0
    with pytest.raises(PartMissing, match=r"table\.png: progress_table is not seen"):
        keep(page, tmp_path / "table.png", "progress_table")
    assert not (tmp_path / "table.png").exists()


@pytest.mark.slow
def test_every_picture_of_the_docs_can_be_made_again(tmp_path: Path) -> None:
    made = [sys.executable, "-m", "tests.app.screenshots", "--out", str(tmp_path)]
    done = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made_names = {path.name for path in tmp_path.glob("*.png")}
    assert made_names == {path.name for path in IMAGES.glob("*.png")}
    for path in tmp_path.glob("*.png"):
        assert _shown(path).std() > 5, path.name
