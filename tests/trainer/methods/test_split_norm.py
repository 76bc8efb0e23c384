"""Batch normalisation in parts: what it computes, and what it keeps query and key from sharing."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.trainer.runs.test_folder_runs import write_images
from trainer.command import main
from trainer.config.layers import make_config
from trainer.errors import ConfigError
from trainer.methods.registry import make_method
from trainer.methods.split_norm import SplitNorm2d, mixed, parts_of


def maps(count: int) -> torch.Tensor:
    return torch.randn(count, 5, 4, 4, generator=torch.Generator().manual_seed(count)) * 3 + 1


def test_each_part_is_normalised_alone_and_running_statistics_are_their_mean() -> None:
    images, split = maps(32), SplitNorm2d(5)
    made = split(images)
    plain = [nn.BatchNorm2d(5) for _ in range(8)]
    alone = [norm(part) for norm, part in zip(plain, images.split(4), strict=True)]
    torch.testing.assert_close(made, torch.cat(alone))
    for name in ("running_mean", "running_var"):
        mean = torch.stack([getattr(norm, name) for norm in plain]).mean(0)
        torch.testing.assert_close(getattr(split, name), mean)
    whole = nn.BatchNorm2d(5)
    whole.load_state_dict(split.state_dict())
    torch.testing.assert_close(split.eval()(images), whole.eval()(images))


def test_a_batch_that_falls_into_no_parts_is_normalised_whole() -> None:
    torch.testing.assert_close(SplitNorm2d(5)(maps(7)), nn.BatchNorm2d(5)(maps(7)))


@pytest.mark.parametrize("count", [8, 24, 32, 256])
def test_a_part_of_the_keys_holds_images_of_many_parts_of_the_queries(count: int) -> None:
    order, parts = mixed(count), parts_of(count)
    assert sorted(order.tolist()) == list(range(count))
    size = count // parts
    for part in order.split(size):
        assert len(set((part // size).tolist())) == min(parts, size)


@pytest.mark.usefixtures("tiny_encoder")
def test_keys_come_back_in_the_order_of_their_queries() -> None:
    config = make_config({"method": "mocov2", "size": 16, "norm": "split"})
    method = make_method(config)
    assert isinstance(method.encoder.bn1, SplitNorm2d)
    assert isinstance(method.target[0].bn1, SplitNorm2d)
    assert not method.target[0].bn1.weight.requires_grad
    views = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    method.eval()  # statistics that do not depend on companions: order alone is seen
    torch.testing.assert_close(method._keys(views), method.target(views))
    method.train()
    difference = (method._keys(views) - method.target(views)).abs().max()
    assert float(difference) > 1e-3


@pytest.mark.parametrize(
    "other", [{"method": "byol"}, {"method": "mocov2", "encoder": "vit_s", "size": 32}]
)
def test_other_nets_than_moco_v2_with_a_resnet_are_refused(other: dict) -> None:
    with pytest.raises(ConfigError, match="norm is split, which is for MoCo v2"):
        make_config({"norm": "split", **other})


@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_in_parts_exports_a_plain_encoder(tmp_path: Path, capsys) -> None:
    write_images(tmp_path / "images", 16)
    words = [
        "--images", str(tmp_path / "images"), "--pairs", "none", "--size", "16", "--epochs", "1",
        "--method", "mocov2", "--set", "norm=split", "--set", "onnx=false", "--device", "cpu",
        "--events", "json", "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    assert main([*words, "--batch", "6"]) == 2
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["message"]
    assert "a batch of 6 cannot be divided" in said
    assert main([*words, "--batch", "16"]) == 0
    from safetensors.torch import load_file

    keys = set(load_file(tmp_path / "run" / "encoder.safetensors"))
    assert {"bn1.weight", "bn1.running_mean"} <= keys
