"""BYOL and SimSiam: losses against written-out formulas, the EMA, what learns and what follows."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cosine_similarity

from trainer.methods.base import Widths
from trainer.methods.byol import Byol, byol_loss
from trainer.methods.ema import ema_momentum
from trainer.methods.losses import masked_cosine
from trainer.methods.simsiam import SimSiam, simsiam_loss
from trainer.pairs.policy import PairPolicy


@pytest.fixture
def features() -> list[torch.Tensor]:
    draws = torch.Generator().manual_seed(0)
    return [torch.randn(6, 10, generator=draws) for _ in range(4)]


def naive_side(predictions, targets, mask) -> float:
    total, pairs = 0.0, 0
    for i, p in enumerate(predictions):
        for j, t in enumerate(targets):
            if mask[i][j]:
                total += float(cosine_similarity(p, t, dim=0))
                pairs += 1
    return total / pairs


def test_byol_without_pairs_is_the_plain_loss(features) -> None:
    p_1, p_2, t_1, t_2 = features
    loss = byol_loss(p_1, p_2, t_1, t_2, torch.eye(6).bool())
    plain = -2 * (cosine_similarity(p_1, t_2).mean() + cosine_similarity(p_2, t_1).mean())
    assert float(loss) == pytest.approx(float(plain), abs=1e-6)


def test_byol_without_pairs_is_four_times_the_loss_of_lightly(features) -> None:
    lightly = pytest.importorskip("lightly.loss")
    p_1, p_2, t_1, t_2 = features
    negative_cosine = lightly.NegativeCosineSimilarity()
    theirs = 0.5 * (negative_cosine(p_1, t_2) + negative_cosine(p_2, t_1))
    ours = byol_loss(p_1, p_2, t_1, t_2, torch.eye(6).bool())
    assert float(ours) == pytest.approx(4 * float(theirs), abs=1e-6)
    assert float(simsiam_loss(p_1, p_2, t_1, t_2, torch.eye(6).bool())) == pytest.approx(
        float(theirs), abs=1e-6
    )


def test_losses_with_pairs_agree_with_a_naive_double_loop(features) -> None:
    p_1, p_2, t_1, t_2 = features
    mask = torch.eye(6).bool()
    mask[0, 3] = mask[3, 0] = mask[2, 5] = mask[5, 2] = True
    both = naive_side(p_1, t_2, mask.tolist()) + naive_side(p_2, t_1, mask.tolist())
    assert float(byol_loss(*features, mask)) == pytest.approx(-2 * both, abs=1e-5)
    assert float(simsiam_loss(*features, mask)) == pytest.approx(-both / 2, abs=1e-5)


def test_the_loss_is_symmetric_in_the_views(features) -> None:
    p_1, p_2, t_1, t_2 = features
    mask = torch.rand(6, 6, generator=torch.Generator().manual_seed(1)) > 0.6
    there, back = byol_loss(p_1, p_2, t_1, t_2, mask), byol_loss(p_2, p_1, t_2, t_1, mask)
    assert float(there) == pytest.approx(float(back), abs=1e-6)


def test_cosines_of_written_out_vectors() -> None:
    predictions = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert float(masked_cosine(predictions, targets, torch.eye(2).bool())) == pytest.approx(
        (1 + math.sqrt(0.5)) / 2
    )
    everything = torch.ones(2, 2).bool()
    assert float(masked_cosine(predictions, targets, everything)) == pytest.approx(
        (1 + math.sqrt(0.5) + 0 + math.sqrt(0.5)) / 4
    )


def test_no_gradient_flows_into_targets(features) -> None:
    p_1, p_2, t_1, t_2 = (f.requires_grad_() for f in features)
    byol_loss(p_1, p_2, t_1, t_2, torch.eye(6).bool()).backward()
    assert p_1.grad is not None
    assert t_1.grad is None
    assert t_2.grad is None


def test_momentum_rises_from_its_start_to_one() -> None:
    assert ema_momentum(0.99, 0, 100) == pytest.approx(0.99)
    assert ema_momentum(0.99, 50, 100) == pytest.approx(0.995)
    assert ema_momentum(0.99, 100, 100) == pytest.approx(1.0)


def small_net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def step_of(method) -> torch.Tensor:
    views = torch.randn(2, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(4)
    return method.step_output(views[0], views[1], ids, PairPolicy().within(ids, torch.Generator()))


def test_the_target_follows_by_the_momentum_and_never_learns() -> None:
    torch.manual_seed(0)
    method = Byol(small_net(), 8, Widths(16, 12, 16), momentum=0.9)
    learning = {id(p) for p in method.trainable()}
    assert learning.isdisjoint(id(p) for p in method.target.parameters())
    assert learning | {id(p) for p in method.target.parameters()} == {
        id(p) for p in method.parameters()
    }
    before = [p.clone() for p in method.target.parameters()]
    with torch.no_grad():
        for p in method.trainable():
            p.add_(1.0)
    method.after_step(0, 100)
    for old, new in zip(before, method.target.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.1)


def test_heads_have_the_released_widths() -> None:
    method = Byol(nn.Identity(), 512, Widths())
    shapes = [m.weight.shape for m in method.modules() if isinstance(m, nn.Linear)]
    assert shapes[:4] == [(1024, 512), (256, 1024), (1024, 256), (256, 1024)]


@pytest.mark.parametrize("make", [Byol, SimSiam])
def test_a_step_gives_gradients_to_all_that_learns(make) -> None:
    torch.manual_seed(0)
    method = make(small_net(), 8, Widths(16, 12, 16))
    output = step_of(method)
    output.loss.backward()
    assert all(p.grad is not None for p in method.trainable())
    assert output.projections.shape == (4, 12)
    assert torch.equal(output.mask, torch.eye(4).bool())


def test_a_fitted_momentum_renews_the_target_ten_times_in_a_short_run() -> None:
    assert ema_momentum(0.999, 0, 270, "fitted") == pytest.approx(1 - 10 / 270)
    assert ema_momentum(0.999, 200, 270, "fitted") ** 270 < 1e-4  # of the random start
    assert ema_momentum(0.999, 0, 10_000, "fitted") == pytest.approx(0.999)
    assert ema_momentum(0.999, 0, 1_000_000, "fitted") == 0.999  # as released
    assert ema_momentum(0.999, 0, 20, "fitted") == 0.9
    assert ema_momentum(0.95, 0, 10_000, "fitted") == 0.95
