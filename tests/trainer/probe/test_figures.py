import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    cohen_kappa_score,
    mean_absolute_error,
    roc_auc_score,
)

from trainer.probe.compare import bootstrap_p, corrected_t_test, holm
from trainer.probe.intervals import Spread, bootstrap_means, interval, make_draws
from trainer.probe.knn import fit_knn, unit
from trainer.probe.linear import fit_linear
from trainer.probe.metrics import score_all
from trainer.probe.validation import choose, inner_folds


@pytest.fixture
def guesses():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 80)
    logits = np.round(rng.normal(size=(80, 4)) + np.eye(4)[codes], 1)  # rounded: some ties
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), codes


def test_metrics_agree_with_scikit_learn(guesses):
    scores, codes = guesses
    weights = np.ones((1, 80))
    grades = np.array([0.0, 1.0, 2.0, 3.0])
    found = {k: v[0] for k, v in score_all(scores, codes, weights, grades).items()}
    predicted = scores.argmax(axis=1)
    auc = np.mean([roc_auc_score(codes == k, scores[:, k]) for k in range(4)])
    assert found["auc"] == pytest.approx(auc)
    assert found["accuracy"] == pytest.approx((predicted == codes).mean())
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(codes, predicted))
    assert found["mae"] == pytest.approx(mean_absolute_error(codes, predicted))
    kappa = cohen_kappa_score(codes, predicted, weights="quadratic")
    assert found["quadratic_kappa"] == pytest.approx(kappa)


def test_a_weight_is_a_copy_of_the_image(guesses):
    scores, codes = guesses
    times = np.random.default_rng(1).integers(0, 3, 80)
    grades = np.arange(4.0)
    weighted = score_all(scores, codes, times[None].astype(float), grades)
    rows = np.repeat(np.arange(80), times)
    copied = score_all(scores[rows], codes[rows], np.ones((1, len(rows))), grades)
    assert {k: v[0] for k, v in weighted.items()} == pytest.approx(
        {k: v[0] for k, v in copied.items()}
    )


def test_two_classes_have_one_curve():
    codes = np.array([0, 0, 1, 1])
    scores = np.log(np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]]))
    assert score_all(scores, codes, np.ones((1, 4)))["auc"][0] == pytest.approx(0.75)


def test_a_sample_without_a_class_has_no_auc():
    codes, weights = np.array([0, 1]), np.array([[1.0, 0.0]])
    found = score_all(np.log(np.full((2, 2), 0.5)), codes, weights)
    assert np.isnan(found["auc"][0])
    assert found["balanced_accuracy"][0] in (0.0, 1.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        correct = rng.random(60) < 0.7
        draws = make_draws(60, 1, int(rng.integers(1e6)), 400)
        sampled = (draws.patients @ correct / 60)[:, None]
        low, high = interval(bootstrap_means(Spread(np.array([correct.mean()]), sampled), draws))
        hits += low <= 0.7 <= high
    assert 178 <= hits <= 200


def test_the_corrected_t_test_is_nadeau_and_bengios():
    gaps = np.array([0.02, 0.05, 0.01, 0.04, 0.03])
    t = gaps.mean() / np.sqrt(gaps.var(ddof=1) * (1 / 5 + 0.3 / 0.7))
    assert corrected_t_test(gaps, 0.3 / 0.7) == pytest.approx(2 * stats.t.sf(t, 4))
    uncorrected = stats.ttest_1samp(gaps, 0).pvalue
    assert corrected_t_test(gaps, 0.0) == pytest.approx(uncorrected)
    assert corrected_t_test(gaps, 0.3 / 0.7) > uncorrected
    assert corrected_t_test(np.zeros(4), 0.5) == 1.0


def test_holm_and_the_bootstrap_p():
    assert holm([0.01, float("nan"), 0.04, 0.03]) == pytest.approx(
        [0.03, float("nan"), 0.06, 0.06], nan_ok=True
    )
    assert bootstrap_p(np.full(999, 0.1)) == pytest.approx(0.002)
    assert bootstrap_p(np.zeros(10)) == 1.0


@pytest.mark.parametrize("classes", [2, 3])
def test_the_linear_probe_is_scikit_learns_in_fewer_dimensions(classes):
    rng = np.random.default_rng(0)
    codes = np.arange(30) % classes
    features = rng.normal(size=(30, 200))
    features[:, :5] += codes[:, None]
    probe = fit_linear(features, codes, np.arange(30), classes, seed=0)
    scale = 1 / np.sqrt(200)
    model = LogisticRegression(
        C=probe.strength, class_weight="balanced", tol=1e-8, max_iter=5000
    ).fit(features * scale, codes)
    new = rng.normal(size=(20, 200))
    expected = model.predict_log_proba(new * scale)
    assert np.abs(probe.log_probabilities(new) - expected).max() < 0.01


def test_a_class_without_a_label_gets_no_probability():
    features = np.random.default_rng(0).normal(size=(12, 6))
    codes = np.arange(12) % 2 * 2
    scores = fit_linear(features, codes, np.arange(12), 3, 0).log_probabilities(features)
    assert np.exp(scores[:, 1]).max() < 1e-6
    assert np.exp(scores).sum(axis=1) == pytest.approx(1)


def test_neighbours_vote_by_likeness():
    known = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    probe = fit_knn(known, np.array([0, 0, 1]), np.arange(3), 2, seed=0)
    assert probe.neighbours == 1
    assert probe.log_probabilities(np.array([[5.0, 0.1], [0.1, 7.0]])).argmax(axis=1).tolist() == [
        0, 1,
    ]  # fmt: skip
    assert np.linalg.norm(unit(known), axis=1) == pytest.approx(1)


def test_inner_folds_keep_patients_whole():
    codes, patients = np.repeat([0, 1], 12), np.repeat(np.arange(8), 3)
    folds = inner_folds(codes, patients, np.random.default_rng(0))
    assert all(len(set(folds[patients == p])) == 1 for p in range(8))
    for fold in set(folds.tolist()):
        assert set(codes[folds != fold]) == {0, 1}
    assert inner_folds(np.array([0, 0, 1]), np.arange(3), np.random.default_rng(0)) is None


def test_choosing_takes_the_least_loss_and_the_simplest_of_equals():
    codes, patients = np.arange(20) % 2, np.arange(20)
    sure = {"bad": 0.1, "good": 0.9, "as good": 0.9}

    def attempt(train, held):
        out = []
        for share in sure.values():
            table = np.full((len(held), 2), np.log(1 - share))
            table[np.arange(len(held)), codes[held]] = np.log(share)
            out.append(table)
        return out

    rng = np.random.default_rng(0)
    assert choose(list(sure), "bad", attempt, codes, patients, rng) == "good"
    assert choose(list(sure), "bad", attempt, codes[:2], patients[:2], rng) == "bad"
