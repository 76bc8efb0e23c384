import json
from pathlib import Path

import numpy as np
import pytest

import main as foveate
from tests.trainer.similarity.evidence.made_cohort import made_gaze
from trainer.similarity import dense, pair_search


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("gaze")
    gaze, _ = made_gaze(images=60, readers=1)
    for name, reading in zip(gaze.ids, gaze.gazes, strict=True):
        points = np.rint(reading.points_image).astype(int).tolist()
        (path / f"{name}.json").write_text(json.dumps({"gaze": points}))
    (path / "empty.json").write_text('{"gaze": []}')
    return path


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "LARGEST_TILE", 16)


def run(*words: object) -> int:
    return foveate.main(["similarity", *map(str, words)])


def parts_of(folder: Path, out: Path, count: int, *words: object) -> list[Path]:
    paths = [out / f"p{k}.npz" for k in range(1, count + 1)]
    for k, path in enumerate(paths, start=1):
        assert run("--gaze", folder, *words, "--part", f"{k}/{count}", "--graph", path,
                   "--jobs", 1 + k % 2) == 0  # fmt: skip
    return paths


@pytest.mark.parametrize("measure", ["density", "moment", "dhash"])
@pytest.mark.parametrize(
    "rule", [("--threshold", 0.6), ("--positive-rate", 0.1), ("--top-k", 5)], ids=lambda r: r[0]
)
def test_eight_parts_make_the_graph_of_one_run_bit_for_bit(measure, rule, folder, tmp_path) -> None:
    words = ("--measure", measure, *rule)
    whole, merged = tmp_path / "one.npz", tmp_path / "all.npz"
    assert run("--gaze", folder, *words, "--graph", whole, "--jobs", 2) == 0
    paths = parts_of(folder, tmp_path, 8, *words)
    assert run("merge", *reversed(paths), "--graph", merged) == 0
    assert merged.read_bytes() == whole.read_bytes()
    assert merged.with_suffix(".json").read_text() == whole.with_suffix(".json").read_text()


def test_parts_that_choose_their_measure_choose_the_same(folder, tmp_path) -> None:
    table = tmp_path / "labels.csv"
    labels = made_gaze(images=60, readers=1)[1]
    lines = [f"i{k:03d},{labels[k]}" for k in range(24)]
    table.write_text("\n".join(("image,label", *lines)))
    words = ("--measure", "auto", "--labels", table, "--top-k", 4)
    whole, merged = tmp_path / "one.npz", tmp_path / "all.npz"
    assert run("--gaze", folder, *words, "--graph", whole) == 0
    parts = parts_of(folder, tmp_path, 2, *words)
    assert run("merge", *parts, "--graph", merged) == 0
    assert merged.read_bytes() == whole.read_bytes()


def test_what_was_learnt_of_the_cohort_goes_with_the_graph_of_parts(folder, tmp_path) -> None:
    words, whole, merged = (
        ("--measure", "dwell", "--top-k", 4),
        tmp_path / "1.npz",
        tmp_path / "a.npz",
    )
    assert run("--gaze", folder, *words, "--graph", whole) == 0
    parts_of(folder, tmp_path, 2, *words)
    named = sorted(tmp_path.glob("p*.npz"))
    assert len(named) == 4  # each with what was learnt beside it
    assert run("merge", *named, "--graph", merged) == 0
    assert merged.read_bytes() == whole.read_bytes()
    kept = [path.with_suffix(".cohort.npz").read_bytes() for path in (whole, merged)]
    assert kept[0] == kept[1]


def test_each_pair_is_looked_at_in_one_part_and_parts_are_alike_in_size(folder) -> None:
    table = np.zeros(61)

    class Table:
        lengths = np.ones(61, np.int64)

        def __len__(self) -> int:
            return len(table)

    shares = [pair_search.Part(k, 3).pairs(Table()) for k in (1, 2, 3)]
    assert sum(shares) == 61 * 60 // 2
    assert max(shares) < 2 * min(shares)


def test_parts_that_make_no_whole_are_refused(folder, tmp_path, capsys) -> None:
    words = ("--measure", "moment", "--threshold", 0.6)
    paths = parts_of(folder, tmp_path, 3, *words)
    merged = tmp_path / "all.npz"
    assert run("merge", *paths[:2], "--graph", merged) == 1
    assert "Part 3 of 3 is missing" in capsys.readouterr().out
    assert run("merge", *paths, paths[0], "--graph", merged) == 1
    assert "the same part" in capsys.readouterr().out
    other = tmp_path / "other"
    other.mkdir()
    stranger = parts_of(folder, other, 3, "--measure", "moment", "--threshold", 0.7)[2]
    assert run("merge", *paths[:2], stranger, "--graph", merged) == 1
    assert "another threshold" in capsys.readouterr().out
    assert run("merge", *paths[:2], folder / "empty.json", "--graph", merged) == 1
    assert "not a readable part of a similarity graph" in capsys.readouterr().out
    assert not merged.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--measure", "moment", "--part", "1/2", "--out", "m.npy"),
        (
            "--measure",
            "moment",
            "--part",
            "1/2",
            "--graph",
            "g.npz",
            "--top-k",
            "3",
            "--approximate",
        ),
    ],
)
def test_a_part_of_no_graph_or_of_an_approximate_one_is_refused(words, folder) -> None:
    assert run("--gaze", folder, *words) == 2
