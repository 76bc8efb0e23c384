"""What pairs are worth, told before the first step: against a plain count."""

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.config.layers import make_config
from trainer.data.cache import ImageCache
from trainer.pairs.policy import PairMatrix, PairPolicy, Related, SameLabel, SparsePairs
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.job import Job
from trainer.pretrain.pair_facts import pair_facts, pairs_text

IMAGES = 24


def job_of(related: Related | None, labels: list[int] | None, pairs: str = "gzpt") -> Job:
    config = make_config({"pairs": pairs, "batch": 8, "device": "cpu"})
    cache = ImageCache(torch.zeros(IMAGES, 8, 8, dtype=torch.uint8), torch.full((IMAGES, 2), 8.0))
    codes = None if labels is None else torch.tensor(labels)
    identity = Identity(config, "cohort", "", IMAGES)
    return Job(identity, cache, PairPolicy(related, 0.5), Path(), torch.device("cpu"), labels=codes)


@pytest.fixture
def table() -> np.ndarray:
    """Pairs of the first 15 images; the others have none."""
    rng = np.random.default_rng(4)
    related = np.triu(rng.random((IMAGES, IMAGES)) < 0.3, 1)
    related[15:], related[:, 15:] = False, False
    return related | related.T


@pytest.mark.parametrize("sparse", [False, True])
def test_facts_are_those_of_a_plain_count(table: np.ndarray, sparse: bool) -> None:
    related: Related = PairMatrix(torch.from_numpy(table))
    if sparse:
        starts = np.concatenate([[0], table.sum(axis=1).cumsum()])
        related = SparsePairs(torch.from_numpy(starts), torch.from_numpy(np.nonzero(table)[1]))
    labels = [k % 3 if k % 4 else -1 for k in range(IMAGES)]
    found = pair_facts(job_of(related, labels))
    pairs = [(i, j) for i in range(IMAGES) for j in range(i) if table[i, j]]
    known = [(i, j) for i, j in pairs if labels[i] >= 0 and labels[j] >= 0]
    same = sum(labels[i] == labels[j] for i, j in known)
    assert found.images_with_pairs == len({k for pair in pairs for k in pair}) / IMAGES
    assert found.pair_purity == pytest.approx(same / len(known))
    assert 0 < same < len(known) < len(pairs)  # the case is not a trivial one


def test_labels_that_make_the_pairs_tell_no_purity() -> None:
    labels = [k % 3 for k in range(IMAGES)]
    related = SameLabel(torch.tensor(labels))
    assert pair_facts(job_of(related, labels, "label")).pair_purity is None
    assert pair_facts(job_of(None, labels, "none")).images_with_pairs == 0


def test_images_without_a_pair_are_warned_of(table: np.ndarray) -> None:
    warned: list[str] = []
    table[5:], table[:, 5:] = False, False
    table[:5, :5] = ~np.eye(5, dtype=bool)
    job = job_of(PairMatrix(torch.from_numpy(table)), None)
    facts = pair_facts(job)
    text = pairs_text(job, facts, warned.append)
    assert "21% of the images have one" in text
    assert "hardly differ" in warned[0]  # half a pair a batch
    many = PairMatrix(torch.from_numpy(~np.eye(IMAGES, dtype=bool)))
    assert pairs_text(job_of(many, None), pair_facts(job_of(many, None)), warned.append)
    assert len(warned) == 1
    some = np.zeros((IMAGES, IMAGES), dtype=bool)
    some[:11, :11] = ~np.eye(11, dtype=bool)
    job = job_of(PairMatrix(torch.from_numpy(some)), None)
    job = Job(job.identity, job.images, PairPolicy(job.policy.related, 0.0), Path(), job.device)
    pairs_text(job, pair_facts(job), warned.append)
    assert "Only 46% of the images have a pair by gaze" in warned[1]
