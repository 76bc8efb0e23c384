"""Warm starts: which blocks learn, and how fast."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run, weights
from trainer.config.layers import make_config
from trainer.encoders.blocks import (
    block_numbers,
    held_still,
    hold_still,
    rate_scales,
    train_last_blocks,
)
from trainer.encoders.nets import make_encoder, seeded_weights
from trainer.errors import ConfigError
from trainer.methods.registry import make_method
from trainer.methods.split_norm import SplitNorm2d
from trainer.pretrain.optimise import make_optimiser


@pytest.mark.parametrize(
    ("name", "count", "top", "stem"),
    [
        ("resnet10", 4, "layer4.0.conv2.weight", "conv1.weight"),
        ("resnet18", 8, "layer4.1.bn2.bias", "bn1.weight"),
        ("vit_mini_8", 4, "encoder.ln.weight", "class_token"),
        ("convnext_tiny", 18, "classifier.0.weight", "features.0.0.weight"),
    ],
)
def test_blocks_are_counted_from_the_stem_on(name: str, count: int, top: str, stem: str) -> None:
    numbers = block_numbers(make_encoder(name, size=32)[0])
    assert (numbers[stem], numbers[top]) == (0, count)
    assert set(numbers.values()) == set(range(count + 1))
    scales = rate_scales(make_encoder(name, size=32)[0], 0.5)
    assert (scales[top], scales[stem]) == (0.5, 0.5 ** (count + 1))


@pytest.fixture
def start(tmp_path: Path) -> Path:
    with seeded_weights(3):
        net, _ = make_encoder("resnet10")
    path = tmp_path / "start.safetensors"
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path)
    return path


def warm(start: Path, **changes):
    return replace(CONFIG, encoder="resnet10", size=32, init=str(start), epochs=1, **changes)


@pytest.mark.parametrize("method", ["byol", "simclr", "mocov2", "trajectory"])
def test_blocks_that_do_not_learn_stay_as_the_file_has_them(
    tmp_path: Path, start: Path, method: str
) -> None:
    config = warm(start, method=method, train_blocks=1, weight_decay=0.1, queue=8)
    outcome, _ = run(job_in(tmp_path / "run", config))
    before = make_method(config).encoder.state_dict()
    after = outcome.method.encoder.state_dict()
    for name, value in before.items():
        same = torch.equal(value, after[name])
        assert same != name.startswith("layer4.") or "num_batches" in name, name


@pytest.fixture
def lived(start: Path) -> Path:
    """The same with statistics and weights of normalisation as a trained net has them."""
    values = load_file(start)
    for name in values:
        if "bn" in name and values[name].is_floating_point():
            values[name] = values[name] * 0.5 + 0.25
    save_file(values, start)
    return start


def test_normalisation_in_parts_leaves_the_blocks_that_do_not_learn_alone(
    tmp_path: Path, lived: Path
) -> None:
    config = warm(lived, method="mocov2", norm="split", train_blocks=1, queue=8, batch=8)
    outcome, _ = run(job_in(tmp_path / "run", config))
    after = outcome.method.encoder.state_dict()
    for name, value in load_file(lived).items():
        if not name.startswith("layer4."):
            assert torch.equal(value, after[name]), name
    assert isinstance(outcome.method.encoder.layer4[0].bn1, SplitNorm2d)


def test_normalisation_shared_among_processes_leaves_them_alone(start: Path) -> None:
    method = make_method(warm(start, train_blocks=1))
    still = held_still(method)
    method = nn.SyncBatchNorm.convert_sync_batchnorm(method)
    hold_still(method, still)
    method.train()
    shared = {n: m.training for n, m in method.named_modules() if isinstance(m, nn.SyncBatchNorm)}
    assert not shared["encoder.bn1"]
    assert not shared["encoder.layer3.0.bn2"]
    assert shared["encoder.layer4.0.bn1"]


def test_a_warm_start_with_rates_by_layer_goes_on_bit_for_bit(tmp_path: Path, start: Path) -> None:
    config = warm(start, layer_decay=0.7, train_blocks=3)
    straight, _ = run(job_in(tmp_path / "straight", config))
    broken = job_in(tmp_path / "broken", config)
    run(broken, StopAfter(1))
    last, _ = run(broken)
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name


def test_each_block_has_its_own_rate_and_the_heads_the_whole(start: Path) -> None:
    config = warm(start, layer_decay=0.5)
    method = make_method(config)
    optimiser = make_optimiser(config, method)
    scale = {id(p): g["scale"] for g in optimiser.param_groups for p in g["params"]}
    named = dict(method.encoder.named_parameters())
    assert scale[id(named["layer4.0.conv1.weight"])] == 0.5
    assert scale[id(named["conv1.weight"])] == 0.5**5
    assert {scale[id(p)] for p in method.predictor.parameters()} == {1.0}
    plain = make_optimiser(replace(config, layer_decay=1.0), method)
    assert [g["scale"] for g in plain.param_groups] == [1.0, 1.0]


def test_what_cannot_be_is_refused(start: Path) -> None:
    with pytest.raises(ConfigError, match="random without init"):
        make_config({"train_blocks": 2})
    with pytest.raises(ConfigError, match=r"layer_decay is 0\.75"):
        make_config({"layer_decay": 0.75})
    with pytest.raises(ConfigError, match="norm is group"):
        make_config({"train_blocks": 2, "init": str(start), "norm": "group"})
    with pytest.raises(ConfigError, match="has 4 blocks"):
        make_method(warm(start, train_blocks=5))
    net, _ = make_encoder("vit_mini_8", size=32)
    train_last_blocks(net, 2)
    learning = {n for n, p in net.named_parameters() if p.requires_grad}
    assert "encoder.ln.weight" in learning
    assert not any("encoder_layer_1." in n or "pos_embedding" in n for n in learning)
