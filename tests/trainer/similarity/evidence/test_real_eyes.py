from pathlib import Path

import numpy as np
import pytest

from bench.measures import as_markdown, load
from trainer.similarity.comparison import ComparisonControl
from trainer.similarity.evidence.judge import Judging, PairRule, judge

ROOT = Path(__file__).resolve().parents[4]
HANDED = ROOT.parent / "shared" / "real" / "osie_fixations.npz"
QUIET = ComparisonControl(jobs=1)


def write(path: Path, images: int = 12, readers: int = 3) -> Path:
    """Write fixations of some readers, each image looked at in places of its own."""
    rng, rows = np.random.default_rng(0), []
    for image in range(images):
        centre = rng.uniform((100, 100), (700, 500))
        for reader in range(readers):
            rows += [(image, reader, *(centre + rng.normal(0, 30, 2)), 200) for _ in range(6)]
    table = np.array(rows)
    names = ("image", "reader", "x_image", "y_image", "duration_ms")
    np.savez(path, **dict(zip(names, table.T, strict=True)))
    return path


def test_the_two_sides_of_the_protocol_share_neither_viewer_nor_image(tmp_path) -> None:
    data = write(tmp_path / "f.npz")
    chosen, reported = load(data, (0, 1), "choose"), load(data, (2,), "report")
    assert not set(chosen.ids) & set(reported.ids)
    assert not set(chosen.readers) & set(reported.readers)
    assert len(chosen.ids) + len(reported.ids) == 12
    assert all(len(g.points_image) == 6 * 24 for g in chosen.gazes)  # 200 ms at 120 Hz


def test_the_table_of_the_docs_comes_out_of_it(tmp_path) -> None:
    gaze = load(write(tmp_path / "f.npz"), (0, 1, 2), "all")
    measures = ("density", "moment")
    found = judge(gaze, [None] * 12, Judging(PairRule(0.05), {}, measures), QUIET)
    lines = as_markdown(found).splitlines()
    assert [line.split("|")[1].split()[0] for line in lines[2:]] == list(measures)
    assert found.recommended == "density"


@pytest.mark.skipif(not HANDED.is_file(), reason="the handed data lie in ../shared/real")
def test_on_real_eyes_density_finds_the_image_again_and_moments_hardly_do() -> None:
    gaze = load(HANDED, (10, 11), "report")
    found = judge(
        gaze,
        [None] * len(gaze.ids),
        Judging(PairRule(0.01), {"proportions": "image"}, ("density", "tima")),
        ComparisonControl(jobs=2),
    )
    by_name = {row.measure: row.separation for row in found.rows}
    assert by_name["density"] is not None
    assert by_name["tima"] is not None
    assert by_name["density"].low > 0.9
    assert by_name["tima"].high < 0.6
