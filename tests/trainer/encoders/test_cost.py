"""What an encoder takes is told before it is trained, or why it cannot be."""

import json
from pathlib import Path

import pytest
import torch

from app.pages.pretrain.encoder_told import EncoderTold
from app.workspace.estimate import _NETS
from trainer.command import run_train
from trainer.encoders.cost import encoder_cost
from trainer.encoders.nets import make_encoder


def told_of(capsys, *options: str) -> str:
    assert run_train(["--describe-encoder", *options]) == 0
    return capsys.readouterr().out


def test_outputs_are_counted_as_the_papers_list_them() -> None:
    found = encoder_cost("resnet10", 3, (224, 224))
    assert found.parameters == found.learning == 4_905_792
    # The listed one has outputs of its convolutions: 5.4 and 1.6 million, with the last layer.
    assert found.activations / 1e6 == pytest.approx(_NETS["resnet10"][1], rel=0.1)
    half = encoder_cost("resnet10", 3, (112, 112))
    assert half.activations == pytest.approx(found.activations / 4, rel=0.02)
    # 4 × (8 × 8 + 1) tokens: three of attention, its output, two of the hidden layer's.
    tokens, width = 65, 128
    net = encoder_cost("vit_mini_8", 1, (64, 64))
    assert net.activations == 4 * tokens * width * (3 + 1 + 1 + 4 + 1) + 64 * width
    assert (net.blocks, net.one_size) == (4, True)


def test_the_command_tells_what_a_file_and_its_last_blocks_take(tmp_path: Path, capsys) -> None:
    net, _ = make_encoder("timm:vit_tiny_patch16_224", size=32)
    weights = {**net.state_dict(), "head.weight": torch.zeros(5, 192), "head.bias": torch.zeros(5)}
    torch.save(weights, tmp_path / "weights.pth")
    text = told_of(
        capsys, "--encoder", "timm:vit_tiny_patch16_224", "--size", "32",
        "--init", str(tmp_path / "weights.pth"), "--set", "train_blocks=2",
    )  # fmt: skip
    found = EncoderTold.from_json(text)
    assert not found.problem
    assert (found.blocks, found.made_for, found.view) == (12, 224, (32, 32))
    assert found.left_out == 2
    parameters = sum(p.numel() for p in net.parameters())
    last = sum(p.numel() for n, p in net.named_parameters()
               if n.startswith(("blocks.10.", "blocks.11.", "norm.")))  # fmt: skip
    assert (found.net.parameters, found.net.learning) == (parameters, last)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--encoder", "timm:no_such_net"), "timm has no net 'no_such_net'"),
        (("--encoder", "timm:vit_tiny_patch16_24"), "Names like it are: vit_tiny_patch16_224"),
        (("--encoder", "torchvision:raft_small"), "estimates the motion between them"),
        (("--encoder", "timm:vit_tiny_patch16_224", "--size", "40"), "a size that is a multiple"),
        (("--encoder", "resnet10", "--init", "gone.pth"), "gone.pth does not exist"),
    ],
)
def test_what_cannot_be_is_told_by_name(capsys, options: tuple[str, ...], word: str) -> None:
    assert word in EncoderTold.from_json(told_of(capsys, *options)).problem


def test_more_blocks_than_there_are_and_another_nets_file(tmp_path: Path, capsys) -> None:
    net, _ = make_encoder("resnet10")
    torch.save(net.state_dict(), tmp_path / "resnet10.pth")
    init = ("--size", "32", "--init", str(tmp_path / "resnet10.pth"))
    many = told_of(capsys, "--encoder", "resnet10", *init, "--set", "train_blocks=9")
    assert "the encoder has 4 blocks" in json.loads(many)["problem"]
    other = json.loads(told_of(capsys, "--encoder", "torchvision:densenet121", *init))
    assert "does not hold the encoder" in other["problem"]
