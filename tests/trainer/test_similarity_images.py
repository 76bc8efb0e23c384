from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from migrations.schema import Neighbour, SimilarityRun
from tests.trainer.gaze_study import StudyMaker
from trainer.cohort import load_cohort
from trainer.errors import SimilarityError
from trainer.similarity.base import Similarity
from trainer.similarity.images import compare_images, image_similarity
from trainer.similarity.store import load_matrix, save_matrix, store_run

OWNERS = np.array([0, 0, 2, 2])  # of four readings; image 1 has none


def readings() -> Similarity:
    matrix = np.array(
        [[1, 0.9, 0.2, 0.4], [0.9, 1, 0.6, 0.8], [0.2, 0.6, 1, 0.7], [0.4, 0.8, 0.7, 1]]
    )
    return Similarity(matrix, np.ones((4, 4), bool), "tima", {"eps": 0.2}, 1.5)


@pytest.mark.parametrize(("combine", "value"), [("mean", 0.5), ("max", 0.8), ("first", 0.2)])
def test_readings_of_an_image_are_combined_as_asked(combine: str, value: float) -> None:
    result = image_similarity(readings(), OWNERS, 3, combine)
    expected = [[1, 0, value], [0, 1, 0], [value, 0, 1]]
    np.testing.assert_allclose(result.matrix, expected)
    assert result.valid.tolist() == [[True, False, True], [False] * 3, [True, False, True]]
    assert result.parameters == {"eps": 0.2, "combine": combine}


def test_pairs_of_readings_without_a_value_do_not_count() -> None:
    given = readings()
    given.valid[0, :] = given.valid[:, 0] = False
    mean = image_similarity(given, OWNERS, 3, "mean")
    assert mean.matrix[0, 2] == pytest.approx((0.6 + 0.8) / 2)
    assert not image_similarity(given, OWNERS, 3, "first").valid[0, 2]
    given.valid[:] = False
    assert image_similarity(given, OWNERS, 3, "max").matrix.tolist() == np.eye(3).tolist()


def test_readings_need_not_come_sorted_by_image() -> None:
    order = [2, 0, 3, 1]
    given = readings()
    mixed = Similarity(given.matrix[np.ix_(order, order)], given.valid, "tima", {}, 0.0)
    result = image_similarity(mixed, OWNERS[order], 3, "mean")
    assert result.matrix[0, 2] == pytest.approx(0.5)


def test_an_unknown_way_to_combine_is_refused() -> None:
    with pytest.raises(SimilarityError, match="combine must be mean, max, first, not 'median'"):
        image_similarity(readings(), OWNERS, 3, "median")


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


def test_a_study_is_compared_image_by_image(maker: StudyMaker) -> None:
    fill(maker)
    members = load_cohort(maker.study).members
    result = compare_images("tima", members, {"eps": 0.3}, jobs=1)
    # Not 1: 400 × 300 pixels become a square canvas, and the 1,024 positions are 25 px apart.
    assert result.matrix[0, 1] > 0.95 > result.matrix[0, 2]
    assert result.valid.any(axis=1).tolist() == [True, True, True, False]
    assert result.parameters["eps"] == 0.3
    assert result.parameters["reader_id"] is None
    other = compare_images("tima", members, reader_id="somebody else", jobs=1)
    assert not other.valid.any()


def test_a_run_is_kept_with_its_matrix_and_neighbours(maker: StudyMaker) -> None:
    fill(maker)
    cohort = load_cohort(maker.study)
    ids = [m.image_id for m in cohort.members]
    similarity = compare_images("tima", cohort.members, {"eps": 0.3}, jobs=1)
    run_id = store_run(
        maker.study, similarity, ids, cohort_fingerprint=cohort.fingerprint, threshold=0.9,
        neighbours=1,
    )  # fmt: skip
    with maker.study.database.read() as session:
        run = session.get_one(SimilarityRun, run_id)
        rows = session.scalars(select(Neighbour)).all()
        near = {r.image_id: (r.neighbour_id, r.value) for r in rows}
        assert (run.image_count, run.measure, run.threshold) == (4, "tima", 0.9)
        assert run.valid_share == pytest.approx(3 / 6)
        assert run.positive_rate == pytest.approx(1 / 3)
        assert run.cohort_fingerprint == cohort.fingerprint
        assert run.matrix_path == f"cache/similarity/{run_id}.npz"
    assert near[ids[0]] == (ids[1], pytest.approx(similarity.matrix[0, 1]))
    assert set(near) == set(ids[:3])
    stored = load_matrix(maker.study.folder / run.matrix_path)
    np.testing.assert_array_equal(stored.similarity, similarity.matrix)
    np.testing.assert_array_equal(stored.valid, similarity.valid)
    assert stored.ids == tuple(ids)


def test_a_damaged_or_missing_matrix_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with pytest.raises(SimilarityError, match=r"m\.npz is no similarity matrix"):
        load_matrix(path)
    save_matrix(path, readings(), "abcd")
    assert load_matrix(path).ids == ("a", "b", "c", "d")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SimilarityError, match=r"m\.npz is no similarity matrix"):
        load_matrix(path)
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]
