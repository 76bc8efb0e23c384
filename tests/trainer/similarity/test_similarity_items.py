import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sqlalchemy import select

from devices.gaze.view import Affine
from migrations.study.schema import Neighbour, SimilarityRun
from tests.trainer.gaze_study import StudyMaker
from trainer.config.layers import make_config
from trainer.data.cohort import load_cohort
from trainer.errors import SimilarityError
from trainer.pairs import choose
from trainer.pairs.choose import ChosenPairs, choose_pairs
from trainer.similarity.base import Gaze, Pairs, Similarity
from trainer.similarity.between_readers import split_of
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.items import combined
from trainer.similarity.registry import MEASURES, compare
from trainer.similarity.sources import GazeList, read_json_folder
from trainer.similarity.store import load_matrix, save_matrix, store_run
from trainer.similarity.study_gaze import feature_cache, gaze_of_members, reader_names

STARTS = np.array([0, 2, 2, 4])  # four readings of three images; image 1 has none


def readings() -> Pairs:
    matrix = np.array(
        [[1, 0.9, 0.2, 0.4], [0.9, 1, 0.6, 0.8], [0.2, 0.6, 1, 0.7], [0.4, 0.8, 0.7, 1]]
    )
    return Pairs(matrix, np.ones((4, 4), bool))


@pytest.mark.parametrize(("combine", "value"), [("mean", 0.5), ("max", 0.8)])
def test_readings_of_an_image_are_combined_as_asked(combine: str, value: float) -> None:
    result = combined(readings(), STARTS, STARTS, combine)
    assert result.values[0, 2] == result.values[2, 0] == pytest.approx(value)
    assert result.values[1].tolist() == [0, 0, 0]
    assert result.valid.tolist() == [[True, False, True], [False] * 3, [True, False, True]]


def test_several_dimensions_are_combined_each_for_itself() -> None:
    flat = readings()
    deep = Pairs(np.stack((flat.values, flat.values / 2), axis=2), flat.valid)
    for combine in ("mean", "max"):
        result = combined(deep, STARTS, STARTS, combine)
        one = combined(flat, STARTS, STARTS, combine)
        np.testing.assert_allclose(result.values[:, :, 1], one.values / 2)


def test_pairs_of_readings_without_a_value_do_not_count() -> None:
    given = readings()
    given.valid[0, :] = given.valid[:, 0] = False
    mean = combined(given, STARTS, STARTS, "mean")
    assert mean.values[0, 2] == pytest.approx((0.6 + 0.8) / 2)
    given.valid[:] = False
    assert combined(given, STARTS, STARTS, "max").values.tolist() == np.zeros((3, 3)).tolist()


def a_list(owners: list[int], readers: tuple[str, ...] = ()) -> GazeList:
    rng = np.random.default_rng(0)
    gazes = [Gaze(rng.uniform(0, 800, (50, 2)), 800, 800) for _ in owners]
    ids = tuple(f"i{k}" for k in range(max(owners) + 1))
    return GazeList(ids, gazes, np.array(owners), readers)


def test_images_are_the_mean_over_pairs_of_their_readings() -> None:
    gaze = a_list([0, 0, 2, 2, 2])
    by_reading = compare("moment", gaze.gazes, jobs=1)
    by_image = prepare("moment", gaze, {}, ComparisonControl(1)).matrix()
    assert by_image.matrix[0, 2] == pytest.approx(by_reading.matrix[:2, 2:].mean())
    assert by_image.matrix.diagonal().tolist() == [1, 1, 1]
    assert not by_image.valid[1].any()
    best = prepare("moment", gaze, {"combine": "max"}, ComparisonControl(1)).matrix()
    assert best.matrix[0, 2] == by_reading.matrix[:2, 2:].max()


def test_one_reader_or_the_first_reading_may_stand_for_an_image() -> None:
    gaze = a_list([0, 0, 1, 1], ("R1", "R2", "R2", "R1"))
    by_reading = compare("moment", gaze.gazes, jobs=1).matrix
    first = prepare("moment", gaze, {"combine": "first"}, ComparisonControl(1)).matrix()
    assert first.matrix[0, 1] == by_reading[0, 2]
    one = prepare("moment", gaze, {"reader": "R1"}, ComparisonControl(1)).matrix()
    assert one.matrix[0, 1] == by_reading[0, 3]
    with pytest.raises(SimilarityError, match=r"no reader 'R9'\. Readers: R1, R2"):
        prepare("moment", gaze, {"reader": "R9"}, ComparisonControl(1))


def test_an_unknown_way_to_combine_is_refused() -> None:
    with pytest.raises(SimilarityError, match="combine must be mean, max or first, not 'median'"):
        prepare("tima", a_list([0]), {"combine": "median"}, ComparisonControl(1))


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def fill(maker: StudyMaker) -> None:
    """Four images: two read alike but moved, one read otherwise, one not at all."""
    still = np.repeat([(60.0, 60.0)], 60, axis=0)
    wide = np.column_stack((np.linspace(5, 395, 60), np.tile([20, 150, 280], 20)))
    for k, points in enumerate((still, still + 150, wide)):
        maker.read_once(maker.image(), points, 1_000_000 * (k + 1) * 5)
    maker.image()


def compared(maker: StudyMaker, settings: dict[str, object]) -> Similarity:
    members = load_cohort(maker.study).members
    gaze = gaze_of_members(members, reader_names(maker.study))
    return prepare(
        "tima", gaze, settings, ComparisonControl(1, cache=feature_cache(maker.study))
    ).matrix()


def test_a_study_is_compared_image_by_image(maker: StudyMaker) -> None:
    fill(maker)
    result = compared(maker, {"eps": 0.3})
    # Not 1: 400 × 300 pixels become a square canvas, and the 1,024 positions are 25 px apart.
    assert result.matrix[0, 1] > 0.95 > result.matrix[0, 2]
    assert result.valid.any(axis=1).tolist() == [True, True, True, False]
    assert result.parameters["eps"] == 0.3
    one = compared(maker, {"eps": 0.3, "reader": "R01"})
    np.testing.assert_array_equal(one.matrix, result.matrix)


def test_degrees_are_known_from_screen_and_views(maker: StudyMaker) -> None:
    image = maker.image()
    case = maker.case(image)
    reading = maker.reading(case, 1_000_000, 2_000_000)
    maker.view(reading, image, 1_000_000, transform=Affine(a=2.0, d=2.0))
    maker.samples(1_000_000, [(100, 100)] * 50)
    member = next(m for m in load_cohort(maker.study).members if m.image_id == image)
    # 650 mm away a degree is 11.35 mm = 22.7 px of this screen, half as many of the image.
    assert member.readings[0].image_px_per_deg == pytest.approx(
        650 * np.tan(np.radians(1)) * 1000 / 500 / 2
    )


def test_features_are_kept_and_only_what_changed_is_made_again(
    maker: StudyMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(maker)
    made: list[int] = []
    tima = MEASURES["tima"]

    def counted(gaze: Gaze, parameters: object) -> object:
        made.append(len(gaze.points_image))
        return tima.features(gaze, parameters)

    monkeypatch.setitem(MEASURES, "tima", replace(tima, features=counted))
    first = compared(maker, {})
    assert len(made) == 3
    again = compared(maker, {"weight_mu": 0.5, "weight_hu": 0.5})
    assert len(made) == 3  # weights do not shape features
    np.testing.assert_array_equal(again.valid, first.valid)
    compared(maker, {"eps": 0.3})
    assert len(made) == 6
    maker.read_once(maker.image(), np.full((60, 2), 90.0), 90_000_000)
    compared(maker, {})
    assert len(made) == 7
    for path in (maker.study.cache / "gaze-features").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    np.testing.assert_array_equal(compared(maker, {}).matrix[:4, :4], first.matrix)


def test_a_run_is_kept_with_its_matrix_and_neighbours(maker: StudyMaker) -> None:
    fill(maker)
    cohort = load_cohort(maker.study)
    ids = [m.image_id for m in cohort.members]
    similarity = compared(maker, {"eps": 0.3})
    run_id = store_run(
        maker.study, similarity, ids, cohort_fingerprint=cohort.fingerprint, threshold=0.9,
        neighbours=1, findings={"items": 4},
    )  # fmt: skip
    with maker.study.database.read() as session:
        run = session.get_one(SimilarityRun, run_id)
        rows = session.scalars(select(Neighbour)).all()
        near = {r.image_id: (r.neighbour_id, r.value) for r in rows}
        assert (run.image_count, run.measure, run.threshold) == (4, "tima", 0.9)
        assert run.valid_share == pytest.approx(3 / 6)
        assert run.positive_rate == pytest.approx(1 / 3)
        assert run.cohort_fingerprint == cohort.fingerprint
        assert run.details == {"findings": {"items": 4}}
        assert run.matrix_path == f"cache/similarity/{run_id}.npz"
    assert near[ids[0]] == (ids[1], pytest.approx(similarity.matrix[0, 1]))
    assert set(near) == set(ids[:3])
    stored = load_matrix(maker.study.folder / run.matrix_path)
    np.testing.assert_array_equal(stored.similarity, similarity.matrix)
    np.testing.assert_array_equal(stored.valid, similarity.valid)
    assert stored.ids == tuple(ids)


def test_a_damaged_or_missing_matrix_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with pytest.raises(SimilarityError, match=r"m\.npz is not a readable similarity matrix"):
        load_matrix(path)
    save_matrix(path, Similarity(readings().values, readings().valid, "tima"), "abcd")
    assert load_matrix(path).ids == ("a", "b", "c", "d")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SimilarityError, match=r"m\.npz is not a readable similarity matrix"):
        load_matrix(path)
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]


def test_a_cohort_too_large_for_a_matrix_has_the_same_pairs(
    maker: StudyMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(maker)
    cohort = load_cohort(maker.study)
    config = make_config({"pairs": "mcgip", "measure": "density", "threshold": 0.05})

    def chosen() -> ChosenPairs:
        return choose_pairs(
            maker.study, cohort, cohort.members, config, lambda done, total: None, lambda: False
        )

    dense = chosen()
    monkeypatch.setattr(choose, "LARGEST_MATRIX", 2)
    sparse = chosen()
    ids = torch.arange(len(cohort.members))
    draws = torch.Generator()
    assert torch.equal(sparse.policy.mask(ids, ids, draws), dense.policy.mask(ids, ids, draws))
    assert dense.policy.related.pair_count() > 0
    assert sparse.positive_rate == dense.positive_rate
    with maker.study.database.read() as session:
        run = session.get_one(SimilarityRun, dense.similarity_run_id)
        assert run.details["findings"]["measure"] == "density"


def test_readings_of_one_case_by_two_readers_are_split() -> None:
    gaze = a_list([0, 0, 1, 1, 2], ("R1", "R2", "R1", "R2", "R1"))
    split = split_of(prepare("moment", gaze, {}, ComparisonControl(1)))
    assert split is not None
    assert (split.within_pairs, split.between_pairs) == (2, 4)
    by_reading = compare("moment", gaze.gazes, jobs=1).matrix
    assert split.within_mean == pytest.approx((by_reading[0, 1] + by_reading[2, 3]) / 2)
    assert split_of(prepare("moment", gaze, {"reader": "R1"}, ComparisonControl(1))) is None


def test_json_files_in_folders_below_that_are_not_read_are_counted(tmp_path: Path) -> None:
    gaze = json.dumps({"gaze": [[1, 2], [3, 4]]})
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "b.json").write_text(gaze)
    found = read_json_folder(tmp_path, (9, 9), lambda done, total: None)
    assert (found.ids, found.note) == (("train/b",), "")
    (tmp_path / "a.json").write_text(gaze)
    found = read_json_folder(tmp_path, (9, 9), lambda done, total: None)
    assert found.ids == ("a",)
    assert found.note.startswith("1 JSON file in folders below not read")
