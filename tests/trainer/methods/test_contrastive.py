"""SimCLR, MoCo v2 and MoCo v3: losses against lightly and naive double loops; the queue."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cosine_similarity

from trainer.methods.base import Widths
from trainer.methods.losses import pair_mean
from trainer.methods.mocov2 import MoCoV2, moco_v2_loss, queue_masks
from trainer.methods.mocov3 import MoCoV3, moco_v3_loss
from trainer.methods.queue import KeyQueue
from trainer.methods.simclr import SimClr, simclr_loss
from trainer.pairs.policy import PairMatrix, PairPolicy, StepPairs

B, D = 6, 10


@pytest.fixture
def features() -> list[torch.Tensor]:
    draws = torch.Generator().manual_seed(0)
    return [torch.randn(B, D, generator=draws) for _ in range(4)]


@pytest.fixture
def mask() -> torch.Tensor:
    made = torch.eye(B).bool()
    made[0, 3] = made[3, 0] = made[0, 4] = made[4, 0] = made[2, 5] = made[5, 2] = True
    return made


def naive_nce(anchors, others, positive, counts, temperature, normalisation) -> float:
    """Return the loss as its definition reads; `positive(i, j)`, `counts(i, j)` tell of cells."""
    by_anchor = []
    for i, a in enumerate(anchors):
        score = {
            j: math.exp(float(cosine_similarity(a, o, dim=0)) / temperature)
            for j, o in enumerate(others)
            if counts(i, j) or positive(i, j)
        }
        whole = sum(score.values())
        by_anchor.append([-math.log(score[j] / whole) for j in score if positive(i, j)])
    if normalisation == "batch":
        terms = [t for anchor in by_anchor for t in anchor]
        return sum(terms) / len(terms)
    return sum(sum(a) / len(a) for a in by_anchor) / len(by_anchor)


def test_simclr_without_pairs_is_lightlys(features) -> None:
    lightly = pytest.importorskip("lightly.loss")
    z_1, z_2, *_ = features
    theirs = lightly.NTXentLoss(temperature=0.3)(z_1, z_2)
    ours = simclr_loss(z_1, z_2, torch.eye(B).bool(), 0.3)
    assert float(ours) == pytest.approx(float(theirs), abs=1e-5)


def test_moco_v2_without_pairs_is_lightlys(features) -> None:
    lightly = pytest.importorskip("lightly.loss")
    queries, keys, *_ = features
    theirs = lightly.NTXentLoss(temperature=0.2, memory_bank_size=(16, D))
    bank = theirs.memory_bank.bank if hasattr(theirs, "memory_bank") else theirs.bank
    queue = bank.T.clone() if bank.shape[0] == D else bank.clone()
    expected = theirs(queries, keys)
    none, every = torch.zeros(B, 16).bool(), torch.ones(B, 16).bool()
    ours = moco_v2_loss(queries, keys, queue, none, every, 0.2)
    assert float(ours) == pytest.approx(float(expected), abs=1e-5)


def test_moco_v3_without_pairs_is_the_published_cross_entropy(features) -> None:
    q_1, q_2, k_1, k_2 = (nn.functional.normalize(f, dim=1) for f in features)
    entropy, target = nn.functional.cross_entropy, torch.arange(B)
    expected = 0.4 * (entropy(q_1 @ k_2.T / 0.2, target) + entropy(q_2 @ k_1.T / 0.2, target))
    ours = moco_v3_loss(*features, torch.eye(B).bool(), 0.2)
    assert float(ours) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("normalisation", ["batch", "anchor"])
@pytest.mark.parametrize("apart", [False, True])
def test_simclr_agrees_with_a_naive_double_loop(features, mask, normalisation, apart) -> None:
    z_1, z_2, *_ = features
    passed_over = torch.zeros(B, B).bool()
    if apart:
        passed_over[1, 2] = passed_over[2, 1] = True
    ours = simclr_loss(z_1, z_2, mask, 0.5, normalisation, passed_over if apart else None)
    expected = naive_nce(
        torch.cat([z_1, z_2]),
        torch.cat([z_1, z_2]),
        lambda i, j: i != j and bool(mask[i % B, j % B]),
        lambda i, j: i != j and not bool(passed_over[i % B, j % B]),
        0.5,
        normalisation,
    )
    assert float(ours) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("normalisation", ["batch", "anchor"])
def test_moco_v3_agrees_with_a_naive_double_loop(features, mask, normalisation) -> None:
    q_1, q_2, k_1, k_2 = features
    sides = [
        naive_nce(q, k, lambda i, j: bool(mask[i, j]), lambda i, j: True, 0.2, normalisation)
        for q, k in ((q_1, k_2), (q_2, k_1))
    ]
    ours = moco_v3_loss(*features, mask, 0.2, normalisation)
    assert float(ours) == pytest.approx(0.4 * sum(sides), abs=1e-5)


def pairs_with(ids, earlier, matrix, drop: float = 0.0, patients=None) -> StepPairs:
    policy = PairPolicy(PairMatrix(torch.as_tensor(matrix)), drop, patients)
    return policy.with_earlier(ids, earlier, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("normalisation", ["batch", "anchor"])
def test_moco_v2_with_its_queue_agrees_with_a_naive_double_loop(features, normalisation) -> None:
    queries, keys, *_ = features
    related = torch.rand(12, 12, generator=torch.Generator().manual_seed(3)) > 0.7
    related = (related | related.T) & ~torch.eye(12).bool()
    ids = torch.tensor([0, 3, 5, 7, 9, 11])
    queue_ids = torch.tensor([3, 1, 0, -1, 8, 8, 11, -1])
    queue = nn.functional.normalize(torch.randn(8, D, generator=torch.Generator().manual_seed(4)))
    positive, counts = queue_masks(ids, queue_ids, pairs_with(ids, queue_ids, related))
    for i, image in enumerate(ids.tolist()):
        for j, other in enumerate(queue_ids.tolist()):
            usable = other >= 0 and other != image  # no empty slot, no own older key
            assert bool(counts[i, j]) == usable
            assert bool(positive[i, j]) == (usable and bool(related[image, other]))
    ours = moco_v2_loss(queries, keys, queue, positive, counts, 0.2, normalisation)
    total, count, by_anchor = 0.0, 0, []
    for i in range(B):
        others = torch.cat([keys[i : i + 1], queue])
        cell = naive_nce(
            queries[i : i + 1],
            others,
            lambda _, j, i=i: j == 0 or bool(positive[i, j - 1]),
            lambda _, j, i=i: j == 0 or bool(counts[i, j - 1]),
            0.2,
            "batch",
        )
        number = 1 + int(positive[i].sum())
        total, count = total + cell * number, count + number
        by_anchor.append(cell)
    expected = total / count if normalisation == "batch" else sum(by_anchor) / B
    assert float(ours) == pytest.approx(expected, abs=1e-5)


def test_images_of_one_patient_are_no_negatives_if_so_chosen() -> None:
    patients = torch.tensor([0, 0, 1, 2])
    ids, queue_ids = torch.tensor([0, 2]), torch.tensor([1, 3, 0])
    pairs = pairs_with(ids, queue_ids, torch.zeros(4, 4).bool(), patients=patients)
    _, counts = queue_masks(ids, queue_ids, pairs)
    assert counts.tolist() == [[False, True, False], [True, True, True]]


def test_a_queue_takes_any_number_of_keys_and_forgets_the_oldest() -> None:
    queue = KeyQueue(5, 2)
    assert queue.ids.tolist() == [-1] * 5
    for first, count in ((0, 3), (3, 4), (7, 1)):
        ids = torch.arange(first, first + count)
        queue.add(ids[:, None].float().repeat(1, 2), ids)
    assert sorted(queue.ids.tolist()) == [3, 4, 5, 6, 7]
    assert torch.equal(queue.keys[:, 0].long(), queue.ids)
    queue.add(torch.arange(9)[:, None].float().repeat(1, 2), torch.arange(9))
    assert sorted(queue.ids.tolist()) == [4, 5, 6, 7, 8]


def test_the_mean_per_anchor_lets_no_anchor_weigh_more() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [10.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    assert float(pair_mean(values, mask)) == pytest.approx(16 / 4)
    assert float(pair_mean(values, mask, "anchor")) == pytest.approx((2 + 10) / 2)


def small_net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.mark.parametrize("make", [SimClr, MoCoV2, MoCoV3])
def test_a_step_gives_gradients_to_all_that_learns(make) -> None:
    torch.manual_seed(0)
    method = make(small_net(), 8, Widths(16, 12, 16))
    views = torch.randn(2, 4, 3, 8, 8)
    ids, draws = torch.arange(4), torch.Generator()
    earlier = getattr(method, "queue", None)
    plain = PairPolicy()
    pairs = (
        plain.within(ids, draws) if earlier is None else plain.with_earlier(ids, earlier.ids, draws)
    )
    output = method(views[0], views[1], ids, pairs)
    output.loss.backward()
    assert all(p.grad is not None for p in method.trainable())
    assert output.projections.shape == (4, 12)
    assert output.mask.sum() == 4


def test_moco_v2_never_takes_an_empty_slot_for_an_image() -> None:
    torch.manual_seed(0)
    method = MoCoV2(small_net(), 8, Widths(16, 12, 16), queue=50)
    ids, everyone = torch.arange(4), ~torch.eye(8).bool()
    views = torch.randn(2, 4, 3, 8, 8)
    first = method(*views, ids, pairs_with(ids, method.queue.ids, everyone))
    assert first.mask.sum() == 4  # all slots are empty: each query has its own key alone
    assert float(first.loss.detach()) == pytest.approx(0, abs=1e-6)
    second = method(*views, ids, pairs_with(ids, method.queue.ids, everyone))
    assert second.mask.sum() == 4 + 4 * 3


def test_released_widths() -> None:
    def shapes(method):
        return [tuple(m.weight.shape) for m in method.modules() if isinstance(m, nn.Linear)]

    assert shapes(MoCoV2(nn.Identity(), 2048, Widths()))[:2] == [(2048, 2048), (256, 2048)]
    assert shapes(SimClr(nn.Identity(), 2048, Widths()))[:2] == [(2048, 2048), (128, 2048)]
    v3 = shapes(MoCoV3(nn.Identity(), 2048, Widths()))[:4]
    assert v3 == [(4096, 2048), (256, 4096), (4096, 256), (256, 4096)]


@pytest.mark.parametrize(
    ("settings", "moved"),
    [
        pytest.param({}, 0.1, id="default: 1 - 10 / 100 steps"),
        pytest.param({"momentum": 0.99}, 0.01, id="as named"),
        pytest.param({"momentum_schedule": "constant"}, 0.001, id="as released"),
        pytest.param({"recipe": "knee"}, 0.001, id="a paper's recipe"),
    ],
)
def test_the_momentum_of_moco_v2_fits_the_run_unless_it_is_named(settings, moved: float) -> None:
    from trainer.config.layers import make_config
    from trainer.methods.registry import make_method

    method = make_method(make_config({"method": "mocov2", "size": 16, **settings}))
    key, query = method.target[0].conv1.weight, method.encoder.conv1.weight
    with torch.no_grad():
        before = key.clone()
        query += 1
    method.after_step(0, 100)
    torch.testing.assert_close(key - before, torch.full_like(key, moved), atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("channels", [3, 1])
def test_moco_v3_starts_a_transformer_as_published(channels: int) -> None:
    from trainer.config.config import RunConfig
    from trainer.methods.registry import make_method

    config = RunConfig(method="mocov3", encoder="vit_s_16", size=32, in_channels=channels)
    state = make_method(config).encoder.state_dict()
    layer = "encoder.layers.encoder_layer_3."
    for part in state[layer + "self_attention.in_proj_weight"].chunk(3):
        assert float(part.std()) == pytest.approx(math.sqrt(2 / 768), rel=0.02)
        assert float(part.abs().max()) <= math.sqrt(6 / 768)
    assert float(state[layer + "self_attention.out_proj.weight"].std()) == pytest.approx(
        math.sqrt(2 / 768), rel=0.02
    )
    assert float(state[layer + "mlp.0.weight"].std()) == pytest.approx(
        math.sqrt(2 / (384 + 1536)), rel=0.02
    )
    for name in ("self_attention.in_proj_bias", "self_attention.out_proj.bias", "mlp.0.bias"):
        assert not state[layer + name].any()
    grey = 1 if channels == 3 else math.sqrt(3)  # what a grey image meets is the sum of three
    assert float(state["conv_proj.weight"].std()) == pytest.approx(
        grey * math.sqrt(2 / (768 + 384)), rel=0.02
    )
    assert not state["conv_proj.bias"].any()
    assert float(state["class_token"].std()) == pytest.approx(1e-6, rel=0.2)
