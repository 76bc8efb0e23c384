"""Soft positives: weights by rank and by agreement, and runs that pairs with weights train."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run, weights
from trainer.config.config import RunConfig
from trainer.config.layers import make_config
from trainer.config.methods import METHODS
from trainer.errors import ConfigError, SimilarityError
from trainer.pairs.choose import related_by
from trainer.pairs.policy import PairMatrix, PairPolicy
from trainer.pairs.soft import WeightedPairs, _agreement, soft_pairs
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.pair_facts import pair_facts
from trainer.pretrain.paths import ScanPaths


def similarities(count: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed).random((count, count))
    valid = np.ones((count, count), bool)
    valid[3] = valid[:, 3] = False
    return (drawn + drawn.T) / 2, valid


def test_without_softness_the_weights_are_the_pairs_that_a_rate_gives() -> None:
    matrix, valid = similarities()
    hard, _, rate = related_by(RunConfig(positive_rate=0.2), matrix, valid)
    assert isinstance(hard, PairMatrix)
    soft = soft_pairs(matrix, valid, rate, 0.0)
    assert torch.equal(soft.table, hard.table.float())


@pytest.mark.parametrize("softness", [0.25, 0.5, 1.0])
def test_weights_fall_with_rank_and_sum_to_the_rate(softness: float) -> None:
    matrix, valid = similarities(40)
    table = soft_pairs(matrix, valid, 0.1, softness).table.numpy()
    upper = np.triu_indices(40, k=1)
    usable = valid[upper]
    assert table[upper][usable].sum() == pytest.approx(0.1 * usable.sum(), rel=1e-5)
    assert (table == table.T).all()
    assert (table[3] == 0).all()
    order = np.argsort(-matrix[upper][usable])
    falling = table[upper][usable][order]
    assert (np.diff(falling) <= 1e-7).all()
    assert ((falling > 0) & (falling < 1)).sum() > 5


def test_pairs_alike_by_the_same_amount_weigh_the_same() -> None:
    matrix = np.full((6, 6), 0.5)
    table = soft_pairs(matrix, np.ones((6, 6), bool), 0.3, 0.5).table
    off = table[~torch.eye(6).bool()]
    assert (off == off[0]).all()


def test_agreement_is_how_much_more_alike_readers_are_than_on_different_images() -> None:
    owners = np.array([0, 0, 1, 1, 2, 3])
    readers = ["a", "b", "a", "b", "a", "b"]
    matrix = np.full((6, 6), 0.5)
    matrix[0, 1] = matrix[1, 0] = 0.9  # both saw the same
    matrix[2, 3] = matrix[3, 2] = 0.1  # one of them missed it
    found = _agreement(matrix, np.ones((6, 6), bool), owners, readers, 4)
    assert found.tolist() == pytest.approx([1.0, 0.0, 0.5, 0.5])
    table = soft_pairs(np.ones((4, 4)), np.ones((4, 4), bool), 1.0, 0.0, found).table
    assert table[0, 2] == pytest.approx(np.sqrt(0.5))
    assert (table[1] == 0).all()


def test_agreement_without_two_readers_is_refused() -> None:
    with pytest.raises(SimilarityError, match="read by two"):
        _agreement(np.ones((3, 3)), np.ones((3, 3), bool), np.arange(3), ["a", "b", "a"], 3)
    one = np.array([0, 0, 1])
    with pytest.raises(SimilarityError, match="read by two"):  # one reader agrees with himself
        _agreement(np.ones((3, 3)), np.ones((3, 3), bool), one, ["a", "a", "b"], 2)


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="neighbours"):
        make_config({"softness": 0.5, "neighbours": 3})
    with pytest.raises(ConfigError, match="softness is 2"):
        make_config({"softness": 2.0})


def test_runs_from_before_there_were_weights_go_on() -> None:
    assert "softness" not in RunConfig().shaping()
    assert RunConfig(softness=0.5).shaping()["softness"] == 0.5
    assert RunConfig(softness=0.5).hash() != RunConfig().hash()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_on_weights_of_0_and_1_is_the_run_on_yes_and_no(tmp_path: Path, method: str) -> None:
    config = replace(CONFIG, method=method, queue=12, epochs=2)
    draws = torch.Generator().manual_seed(1)
    paths = ScanPaths.of([[torch.rand(9, 2, generator=draws) * 20] for _ in range(10)])
    changes = {"paths": paths} if METHODS[method].paths else {}
    hard = job_in(tmp_path / "hard", config, **changes)
    related = hard.policy.related
    assert isinstance(related, PairMatrix)
    policy = PairPolicy(WeightedPairs(related.table.float()), config.drop)
    assert policy.extra_pairs_per_batch(10, 4) == hard.policy.extra_pairs_per_batch(10, 4)
    straight, _ = run(hard)
    soft, _ = run(job_in(tmp_path / "soft", config, policy=policy, **changes))
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(soft)[name]), name


@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_on_weights_stops_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    config = replace(CONFIG, softness=0.5)
    matrix, valid = similarities(10)
    relation = soft_pairs(matrix, valid, 0.3, 0.5)
    identity = Identity(config, "cohort", relation.hash(), 10)
    changes = {"policy": PairPolicy(relation, 0.5), "identity": identity}
    straight, _ = run(job_in(tmp_path / "straight", config, **changes))
    broken = job_in(tmp_path / "broken", config, **changes)
    run(broken, StopAfter(3))
    last, _ = run(broken)
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name


def test_purity_counts_pairs_by_their_weight(tmp_path: Path) -> None:
    table = torch.zeros(10, 10)
    table[0, 1] = table[1, 0] = 0.75  # of one label
    table[2, 5] = table[5, 2] = 0.25
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    job = job_in(tmp_path / "job", policy=PairPolicy(WeightedPairs(table)), labels=labels)
    assert pair_facts(job).pair_purity == 0.75
    assert pair_facts(job).images_with_pairs == 0.4
