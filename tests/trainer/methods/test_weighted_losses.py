"""Losses over weighted pairs: naive loops; weights of 0 and 1 are yes and no, bit for bit."""

import math

import pytest
import torch
from torch.nn.functional import cosine_similarity

from trainer.methods.byol import byol_loss
from trainer.methods.losses import pair_mean
from trainer.methods.mocov2 import moco_v2_loss, queue_masks
from trainer.methods.mocov3 import moco_v3_loss
from trainer.methods.simclr import simclr_loss
from trainer.methods.simsiam import simsiam_loss
from trainer.pairs.policy import StepPairs

B, D, K = 6, 10, 9
BOTH = pytest.mark.parametrize("normalisation", ["batch", "anchor"])


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def yes_and_no(rows: int, columns: int) -> torch.Tensor:
    return drawn(rows, columns, seed=4) > 0.6


@pytest.fixture
def weights() -> torch.Tensor:
    made = torch.rand(B, B, generator=torch.Generator().manual_seed(2))
    made = torch.where(made > 0.5, made, 0.0)
    made = (made + made.T) / 2
    return made.fill_diagonal_(1.0)


def losses(mask: torch.Tensor, normalisation: str) -> dict[str, object]:
    """Return what gives the loss of each method of given features (4, B, D)."""
    related = mask.repeat(1, 2)[:, :K]
    queue, every = torch.nn.functional.normalize(drawn(K, D, seed=9), dim=1), torch.ones(B, K) > 0
    return {
        "byol": lambda f: byol_loss(*f, mask, normalisation),
        "simsiam": lambda f: simsiam_loss(*f, mask, normalisation),
        "simclr": lambda f: simclr_loss(f[0], f[1], mask, 0.5, normalisation),
        "mocov3": lambda f: moco_v3_loss(*f, mask, 0.2, normalisation),
        "mocov2": lambda f: moco_v2_loss(f[0], f[1], queue, related, every, 0.2, normalisation),
    }


@BOTH
@pytest.mark.parametrize("method", ["byol", "simsiam", "simclr", "mocov3", "mocov2"])
def test_weights_of_0_and_1_give_the_loss_and_gradient_of_yes_and_no(
    method: str, normalisation: str
) -> None:
    mask = yes_and_no(B, B)
    mask = mask | mask.T | torch.eye(B).bool()
    found = []
    for kind in (mask, mask.float()):
        features = drawn(4, B, D).requires_grad_()
        loss = losses(kind, normalisation)[method](features)  # type: ignore[operator]
        loss.backward()
        found.append((loss.detach(), features.grad))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def naive_mean(terms: list[list[tuple[float, float]]], normalisation: str) -> float:
    """Return the mean of (value, weight) of each anchor, as the definition reads."""
    if normalisation == "batch":
        flat = [t for anchor in terms for t in anchor]
        return sum(v * w for v, w in flat) / sum(w for _, w in flat)
    kept = [anchor for anchor in terms if sum(w for _, w in anchor) > 0]
    return sum(sum(v * w for v, w in a) / sum(w for _, w in a) for a in kept) / len(kept)


@BOTH
def test_cosine_losses_agree_with_a_naive_loop(weights, normalisation: str) -> None:
    p_1, p_2, t_1, t_2 = drawn(4, B, D)

    def side(predictions: torch.Tensor, targets: torch.Tensor) -> float:
        return naive_mean(
            [
                [
                    (float(cosine_similarity(predictions[i], targets[j], dim=0)), weight)
                    for j, weight in enumerate(weights[i].tolist())
                ]
                for i in range(B)
            ],
            normalisation,
        )

    both = side(p_1, t_2) + side(p_2, t_1)
    ours = byol_loss(p_1, p_2, t_1, t_2, weights, normalisation)
    assert float(ours) == pytest.approx(-2 * both, abs=1e-5)
    ours = simsiam_loss(p_1, p_2, t_1, t_2, weights, normalisation)
    assert float(ours) == pytest.approx(-both / 2, abs=1e-5)


def naive_nce(anchors, others, weight, counts, temperature: float, normalisation: str) -> float:
    terms = []
    for i, a in enumerate(anchors):
        score = [math.exp(float(cosine_similarity(a, o, dim=0)) / temperature) for o in others]
        cells = [j for j in range(len(others)) if counts(i, j) or weight(i, j) > 0]
        whole = sum(score[j] for j in cells)
        terms.append([(-math.log(score[j] / whole), weight(i, j)) for j in cells])
    return naive_mean(terms, normalisation)


@BOTH
def test_contrastive_losses_agree_with_a_naive_loop(weights, normalisation: str) -> None:
    q_1, q_2, k_1, k_2 = features = drawn(4, B, D)
    sides = [
        naive_nce(q, k, lambda i, j: float(weights[i, j]), lambda i, j: True, 0.2, normalisation)
        for q, k in ((q_1, k_2), (q_2, k_1))
    ]
    ours = moco_v3_loss(*features, weights, 0.2, normalisation)
    assert float(ours) == pytest.approx(0.4 * sum(sides), abs=1e-5)
    both = torch.cat([q_1, q_2])
    expected = naive_nce(
        both, both,
        lambda i, j: 0.0 if i == j else float(weights[i % B, j % B]), lambda i, j: i != j,
        0.5, normalisation,
    )  # fmt: skip
    assert float(simclr_loss(q_1, q_2, weights, 0.5, normalisation)) == pytest.approx(
        expected, abs=1e-5
    )


@BOTH
def test_moco_v2_agrees_with_a_naive_loop_over_its_queue(normalisation: str) -> None:
    queries, keys, *_ = drawn(4, B, D)
    queue = torch.nn.functional.normalize(drawn(K, D, seed=9), dim=1)
    ids, queue_ids = torch.arange(B), torch.tensor([8, 3, -1, 2, 7, 9, -1, 0, 5])
    mask = torch.where(yes_and_no(B, K), drawn(B, K, seed=3).sigmoid(), 0.0)
    related, candidates = queue_masks(ids, queue_ids, StepPairs(mask))
    assert (related[:, queue_ids < 0] == 0).all()
    assert related[3, 1] == related[2, 3] == 0  # an image's own older key
    loss = moco_v2_loss(queries, keys, queue, related, candidates, 0.2, normalisation)
    terms = []
    for i in range(B):
        others = [keys[i], *queue]
        weight = [1.0, *related[i].tolist()]
        there = [True, *(candidates[i] | (related[i] > 0)).tolist()]
        score = [math.exp(float(cosine_similarity(queries[i], o, dim=0)) / 0.2) for o in others]
        whole = sum(s for s, t in zip(score, there, strict=True) if t)
        terms.append([(-math.log(s / whole), w) for s, w in zip(score, weight, strict=True)])
    assert float(loss) == pytest.approx(naive_mean(terms, normalisation), abs=1e-5)


def test_what_is_no_pair_may_be_infinite() -> None:
    values = torch.tensor([[1.0, -torch.inf], [-torch.inf, 3.0]])
    assert float(pair_mean(values, torch.tensor([[0.5, 0.0], [0.0, 1.0]]))) == pytest.approx(
        3.5 / 1.5
    )
