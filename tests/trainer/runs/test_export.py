"""The exported encoder loads strictly into torchvision and computes the same."""

import json
from pathlib import Path

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file

from trainer.config.config import RunConfig
from trainer.encoders.nets import make_encoder, seeded_weights
from trainer.pretrain.checkpoint import Identity
from trainer.runs.export import export_encoder


def test_it_loads_strictly_into_torchvision_and_gives_the_same_features(tmp_path: Path) -> None:
    config = RunConfig(name="first")
    with seeded_weights(3):
        encoder, width = make_encoder("resnet18")
    encoder = encoder.to(memory_format=torch.channels_last)
    facts = {"images": 8, "positive_rate": 0.05}
    path = export_encoder(tmp_path, encoder, Identity(config, "abc", "def", 8), facts)
    net = torchvision.models.resnet18()
    net.fc = torch.nn.Identity()
    net.load_state_dict(load_file(path), strict=True)
    views = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(net.eval()(views), encoder.eval()(views), atol=1e-5, rtol=1e-5)
    assert (tmp_path / "encoder.onnx").is_file()
    assert width == 512
    assert net(views).shape == (2, 512)


def test_the_card_says_where_the_weights_come_from(tmp_path: Path) -> None:
    config = RunConfig(name="first", transductive=True, onnx=False)
    encoder, _ = make_encoder("resnet18")
    path = export_encoder(tmp_path, encoder, Identity(config, "abc", "def", 8), {"images": 8})
    card = json.loads((tmp_path / "encoder.json").read_text())
    assert card["cohort_fingerprint"] == "abc"
    assert card["relation_hash"] == "def"
    assert card["config"]["seed"] == 0
    assert card["transductive"] is True
    assert card["images"] == 8
    text = (tmp_path / "README.md").read_text()
    assert "not for diagnosis" in text
    assert "strict=True" in text
    with safe_open(path, "pt") as file:
        assert file.metadata()["config_hash"] == config.hash()


def test_weights_follow_the_seed_and_leave_torchs_own_state_alone() -> None:
    state = torch.get_rng_state()
    nets = []
    for seed in (1, 1, 2):
        with seeded_weights(seed):
            nets.append(make_encoder("resnet18")[0].state_dict()["conv1.weight"])
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])
    assert torch.equal(torch.get_rng_state(), state)
