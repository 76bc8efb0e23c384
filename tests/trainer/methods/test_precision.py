"""Losses keep float32 where the nets run in less: against the formula in float64."""

import math

import pytest
import torch
from torch import Tensor

from trainer.methods.byol import byol_loss
from trainer.methods.mocov2 import moco_v2_loss
from trainer.methods.mocov3 import moco_v3_loss
from trainer.methods.simclr import simclr_loss
from trainer.methods.simsiam import simsiam_loss

COUNT, WIDTH, KEYS = 16, 64, 40
MASK = torch.eye(COUNT, dtype=torch.bool) | torch.eye(COUNT, dtype=torch.bool).roll(1, 1)


def drawn(seed: int, count: int) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))


def features(seed: int) -> Tensor:
    """Return features as a net in bfloat16 gives them."""
    return drawn(seed, COUNT).bfloat16()


def unit64(values: Tensor) -> Tensor:
    plain = values.double()
    return plain / plain.norm(dim=1, keepdim=True)


def cosine64(a: Tensor, b: Tensor) -> Tensor:
    return (unit64(a) @ unit64(b).T)[MASK].mean()


def nce64(logits: Tensor, positives: Tensor, seen: Tensor) -> Tensor:
    odds = logits.masked_fill(~seen, -torch.inf).log_softmax(1)
    return -odds[positives].mean()


def byol64(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return -2 * (cosine64(a, d) + cosine64(b, c))


def simsiam64(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return -(cosine64(a, d) + cosine64(b, c)) / 2


def simclr64(a: Tensor, b: Tensor) -> Tensor:
    z, apart = unit64(torch.cat([a, b])), ~torch.eye(2 * COUNT, dtype=torch.bool)
    return nce64(z @ z.T / 0.1, MASK.repeat(2, 2) & apart, apart)


def moco_v3_64(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    every = torch.ones_like(MASK)
    parts = [nce64(unit64(q) @ unit64(k).T / 0.2, MASK, every) for q, k in ((a, d), (b, c))]
    return 2 * 0.2 * (parts[0] + parts[1])


QUEUE = torch.nn.functional.normalize(drawn(9, KEYS), dim=1)
NONE, ALL = torch.zeros(COUNT, KEYS).bool(), torch.ones(COUNT, KEYS).bool()


def moco_v2_64(a: Tensor, b: Tensor) -> Tensor:
    own = (unit64(a) * unit64(b)).sum(1, keepdim=True)
    logits = torch.cat([own, unit64(a) @ QUEUE.double().T], 1) / 0.2
    return nce64(
        logits,
        torch.cat([torch.ones(COUNT, 1).bool(), NONE], 1),
        torch.ones(COUNT, 1 + KEYS).bool(),
    )


CASES = [
    pytest.param(lambda *f: byol_loss(*f, MASK), byol64, 4, id="byol"),
    pytest.param(lambda *f: simsiam_loss(*f, MASK), simsiam64, 4, id="simsiam"),
    pytest.param(lambda *f: moco_v3_loss(*f, MASK, 0.2), moco_v3_64, 4, id="mocov3"),
    pytest.param(lambda *f: simclr_loss(*f, MASK, 0.1), simclr64, 2, id="simclr"),
    pytest.param(lambda *f: moco_v2_loss(*f, QUEUE, NONE, ALL, 0.2), moco_v2_64, 2, id="mocov2"),
]


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("loss", "right", "count"), CASES)
def test_a_loss_under_autocast_is_that_of_float64(loss, right, count: int, precision) -> None:
    made = [features(i) for i in range(count)]
    with torch.autocast("cpu", precision):
        found = loss(*made)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(float(right(*made)), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("loss", "right", "count"), CASES)
def test_its_gradient_too(loss, right, count: int) -> None:
    made = [features(i) for i in range(count)]
    slopes = []
    for form, lowered in ((loss, True), (right, False)):
        first = made[0].float().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=lowered):
            value = form(first, *made[1:])
        value.backward()
        slopes.append(first.grad)
    difference = float((slopes[0] - slopes[1]).norm() / slopes[1].norm())
    assert math.isfinite(difference)
    assert difference < 1e-5
