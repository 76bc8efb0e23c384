import numpy as np
import pytest

from trainer.similarity.evidence.intervals import joint_figures
from trainer.similarity.evidence.purity import draw_weights, labelled_of, purity
from trainer.similarity.evidence.separation import Readings, between_readers, of_rereads
from trainer.similarity.findings import separation


def square(pairs: dict[tuple[int, int], float], n: int):
    matrix = np.eye(n)
    for (i, j), value in pairs.items():
        matrix[i, j] = matrix[j, i] = value
    return matrix, np.ones((n, n), bool)


def test_purity_is_the_share_of_one_label_among_positive_pairs_over_that_among_all() -> None:
    matrix, valid = square({(0, 1): 0.9, (0, 2): 0.8}, 4)
    known = labelled_of(np.array([0, 0, 1, 1]), np.arange(4))
    found = purity(matrix, valid, 0.5, known, draw_weights(4))
    assert found is not None
    assert found.value == pytest.approx((1 / 2) / (2 / 6))
    assert found.count == 2


def test_pairs_of_one_image_count_on_neither_side() -> None:
    matrix, valid = square({(0, 1): 0.9, (0, 2): 0.8, (0, 3): 0.7}, 5)
    images = np.array([0, 0, 1, 2, 3])  # the first two are readings of one image
    known = labelled_of(np.array([0, 0, 0, 1, 1]), images)
    found = purity(matrix, valid, 0.5, known, draw_weights(4))
    assert found is not None
    # Positive: 0-2 (one label), 0-3. All but 0-1: 0-2, 1-2, 3-4 of one label, of nine.
    assert found.value == pytest.approx((1 / 2) / (3 / 9))


def test_pairs_without_a_value_or_a_label_count_on_neither_side() -> None:
    matrix, valid = square({(0, 1): 0.9, (0, 2): 0.9, (0, 4): 0.9}, 5)
    valid[0, 2] = valid[2, 0] = False
    known = labelled_of(np.array([0, 0, 1, 1, -1]), np.arange(5))
    found = purity(matrix, valid, 0.5, known, draw_weights(4))
    assert found is not None
    assert found.value == pytest.approx((1 / 1) / (2 / 5))


def test_the_bootstrap_draws_images_with_all_their_readings() -> None:
    """Ten readings of each image are no more evidence than one."""
    rng = np.random.default_rng(1)
    labels, n = rng.integers(0, 2, 30), 30
    alike = rng.random((n, n)) + 0.2 * (labels[:, None] == labels)
    alike = (alike + alike.T) / 2
    one = purity(
        alike, np.ones((n, n), bool), 0.8, labelled_of(labels, np.arange(n)), draw_weights(n)
    )
    images = np.repeat(np.arange(n), 10)
    many = purity(
        alike[np.ix_(images, images)],
        np.ones((10 * n, 10 * n), bool),
        0.8,
        labelled_of(labels[images], images),
        draw_weights(n),
    )
    assert one is not None
    assert many is not None
    assert many.value == pytest.approx(one.value)
    np.testing.assert_allclose(many.draws, one.draws)


def test_no_positive_pair_gives_no_purity() -> None:
    matrix, valid = square({}, 4)
    known = labelled_of(np.array([0, 0, 1, 1]), np.arange(4))
    assert purity(matrix, valid, 0.5, known, draw_weights(4)) is None


def test_measures_that_carry_nothing_seldom_seem_to() -> None:
    """Over 120 cohorts with labels by lot, the best of six measures stands out in few."""
    rng, stood_out = np.random.default_rng(0), 0
    for _ in range(120):
        labels = rng.integers(0, 3, 60)
        known, weights = labelled_of(labels, np.arange(60)), draw_weights(60, 300)
        places = rng.normal(size=(6, 60, 2))
        found = {}
        for k, at in enumerate(places):
            alike = -np.linalg.norm(at[:, None] - at, axis=2)
            threshold = np.quantile(alike[np.triu_indices(60, 1)], 0.95)
            found[str(k)] = purity(alike, np.ones((60, 60), bool), threshold, known, weights)
        stood_out += any(figure.low > 1 for figure in joint_figures(found).values())
    assert stood_out <= 120 * 0.1


def test_separation_is_that_of_the_findings_and_rereads_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.random((8, 8))
    matrix = (matrix + matrix.T) / 2
    image = np.array([0, 0, 0, 1, 1, 2, 2, 3])
    reader = np.array([0, 1, 1, 0, 1, 0, 0, 1])
    readings, weights = Readings(image, reader, 4), draw_weights(4)
    first, second = np.triu_indices(8, 1)
    valid, own = np.ones((8, 8), bool), reader[first] == reader[second]
    for judged, fine in ((between_readers, ~own), (of_rereads, own)):
        found = judged(matrix, valid, readings, weights)
        same = image[first] == image[second]
        values = matrix[first, second]
        assert found is not None
        assert found.value == pytest.approx(separation(values[same & fine], values[~same & fine]))
