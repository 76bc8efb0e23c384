"""Encoders from files of torchvision, timm and the released code; what does not fit is listed."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from trainer.encoders import layouts
from trainer.encoders.nets import (
    encoder_names,
    initialise,
    load_encoder,
    make_encoder,
    seeded_weights,
    to_input,
)
from trainer.errors import EncoderError

VIEWS = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def resnet():
    with seeded_weights(1):
        net, _ = make_encoder("resnet18")
    return net.eval()


def same(net, other, channels: int = 3) -> None:
    with torch.no_grad():
        torch.testing.assert_close(net(to_input(VIEWS, channels)), other(to_input(VIEWS, channels)))


def test_a_torchvision_file_is_known_by_its_keys(tmp_path: Path, resnet) -> None:
    net = torchvision.models.resnet18()
    net.load_state_dict({**net.state_dict(), **resnet.state_dict()})
    torch.save(net.state_dict(), tmp_path / "net.pth")
    loaded, info = load_encoder(tmp_path / "net.pth")
    assert (info.name, info.features, info.in_channels) == ("resnet18", 512, 3)
    assert set(info.left_out) == {"fc.weight", "fc.bias"}
    same(loaded, resnet)


@pytest.mark.parametrize(
    ("prefix", "others"),
    [
        ("backbone.", ("neck.fc0.weight",)),
        ("module.encoder.", ("module.projector.0.weight",)),
        ("online_net.0.", ("target_net.0.",)),
        ("encoder_q.0.", ("encoder_k.0.",)),
        ("module.base_encoder.", ("module.momentum_encoder.",)),
    ],
)
def test_a_released_epoch_file_is_stripped_of_its_prefixes(
    tmp_path: Path, resnet, prefix: str, others: tuple[str, ...]
) -> None:
    state = {}
    for other in others:  # a target net stands before the one that is wanted
        if other.endswith("weight"):
            state[other] = torch.ones(3, 3)
        else:
            state.update({other + k: v * 0 for k, v in resnet.state_dict().items()})
    state.update({prefix + k: v for k, v in resnet.state_dict().items()})
    meta = {"epoch": 300, "lr": np.float64(2e-5), "classes": np.arange(3)}
    path = tmp_path / "epoch_300.pth"
    torch.save({"meta": meta, "state_dict": state, "optimizer": {"state": {}}}, path)
    loaded, info = load_encoder(path)
    assert info.name == "resnet18"
    assert info.left_out
    same(loaded, resnet)


def test_a_file_that_runs_code_is_not_opened(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"state_dict": {"conv1.weight": torch.ones(1)}, "meta": Evil()}, tmp_path / "e.pth")
    with pytest.raises(EncoderError, match="does not run code from files"):
        load_encoder(tmp_path / "e.pth")
    assert not (tmp_path / "ran").exists()


def test_what_does_not_fit_is_listed(tmp_path: Path, resnet) -> None:
    state = dict(resnet.state_dict())
    state["layer1.0.conv1.weight"] = state["layer1.0.conv1.weight"][:, :3].clone()
    del state["layer4.1.bn2.bias"]
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "cut.safetensors")
    net, _ = make_encoder("resnet18")
    with pytest.raises(EncoderError) as caught:
        initialise(net, tmp_path / "cut.safetensors")
    assert "missing: layer4.1.bn2.bias" in str(caught.value)
    assert "shape: layer1.0.conv1.weight is (64, 3, 3, 3), the encoder needs (64, 64, 3, 3)" in (
        str(caught.value)
    )
    save_file({"a.weight": torch.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(EncoderError, match="contains no ResNet"):
        load_encoder(tmp_path / "other.safetensors")
    with pytest.raises(EncoderError, match="does not fit"):
        load_encoder(tmp_path / "cut.safetensors", name="resnet50")


def test_one_channel_answers_to_grey_as_three_do(tmp_path: Path, resnet) -> None:
    save_file(
        {k: v.contiguous() for k, v in resnet.state_dict().items()}, tmp_path / "n.safetensors"
    )
    net, _ = make_encoder("resnet18", in_channels=1)
    initialise(net, tmp_path / "n.safetensors")
    grey = to_input(VIEWS, 1)
    with torch.no_grad():
        torch.testing.assert_close(
            net.eval()(grey), resnet(grey.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4
        )


def test_transformers_go_to_timm_and_back_strictly(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    with seeded_weights(0):
        ours, width = make_encoder("vit_s_16", size=32)
    state = {k: v.contiguous() for k, v in layouts.to_timm(ours.state_dict()).items()}
    theirs = timm.create_model("vit_small_patch16_224", img_size=32, num_classes=0)
    theirs.load_state_dict(state, strict=True)
    views = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = theirs.eval()(views)
        torch.testing.assert_close(ours.eval()(views), expected, atol=1e-4, rtol=1e-4)
        save_file(state, tmp_path / "timm.safetensors")
        loaded, info = load_encoder(tmp_path / "timm.safetensors")
        torch.testing.assert_close(loaded(views), expected, atol=1e-4, rtol=1e-4)
    assert (info.name, info.size, width, info.left_out) == ("vit_s_16", 32, 384, ())


def test_position_embeddings_fit_another_size(tmp_path: Path) -> None:
    with seeded_weights(0):
        small, _ = make_encoder("vit_s_16", size=32)
    save_file(
        {k: v.contiguous() for k, v in small.state_dict().items()}, tmp_path / "s.safetensors"
    )
    large, _ = make_encoder("vit_s_16", size=64)
    initialise(large, tmp_path / "s.safetensors")
    old = small.state_dict()["encoder.pos_embedding"]
    new = large.state_dict()["encoder.pos_embedding"]
    assert new.shape == (1, 17, 384)
    assert torch.equal(new[:, 0], old[:, 0])
    torch.testing.assert_close(new[:, 1:].mean(1), old[:, 1:].mean(1), atol=0.02, rtol=0)


def test_the_transformers_are_torchvisions(monkeypatch) -> None:
    ours, width = make_encoder("vit_b_16", size=32)
    theirs = torchvision.models.vit_b_16(image_size=32)
    theirs.heads = torch.nn.Identity()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    assert width == 768
    assert "vit_l_16" in encoder_names()


@pytest.mark.parametrize(("name", "width"), [("resnet10", 512), ("vit_mini_8", 128)])
def test_small_encoders_load_by_the_code_of_their_card(
    tmp_path: Path, monkeypatch, name: str, width: int
) -> None:
    from trainer.runs.model_card import _SMALL

    with seeded_weights(0):
        ours, features = make_encoder(name, size=48)
    state = {k: v.contiguous() for k, v in ours.state_dict().items()}
    save_file(state, tmp_path / "encoder.safetensors")
    save_file(layouts.to_timm(state), tmp_path / "encoder.timm.safetensors")
    loaded, info = load_encoder(tmp_path / "encoder.safetensors")
    assert (info.name, features) == (name, width)
    views = torch.randn(2, 3, 48, 48)
    monkeypatch.chdir(tmp_path)
    with torch.no_grad():
        expected = loaded(views)
        for code in filter(None, _SMALL[name]):
            given: dict[str, torch.nn.Module] = {}
            exec(code.format(size=48), given)
            torch.testing.assert_close(given["net"].eval()(views), expected, atol=1e-5, rtol=1e-5)


def test_a_convnext_loads_from_torchvision_and_from_timm(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    views = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with seeded_weights(0):
        theirs = timm.create_model("convnext_tiny", num_classes=5)
    for key, value in theirs.state_dict().items():
        if key.endswith("gamma"):  # which start at 1e-6: as if nothing were in the block
            value.copy_(torch.rand(value.shape, generator=torch.Generator().manual_seed(1)))
    state = {k: v.contiguous() for k, v in theirs.state_dict().items()}
    save_file(state, tmp_path / "timm.safetensors")
    net, info = load_encoder(tmp_path / "timm.safetensors")
    assert (info.name, info.features) == ("convnext_tiny", 768)
    assert set(info.left_out) <= {"head.fc.weight", "head.fc.bias"}
    with torch.no_grad():
        expected = theirs.eval().forward_head(theirs.forward_features(views), pre_logits=True)
        torch.testing.assert_close(net(views), expected, atol=1e-4, rtol=1e-4)
        plain = torchvision.models.convnext_tiny()
        plain.load_state_dict(net.state_dict(), strict=False)
        torch.save(plain.state_dict(), tmp_path / "tv.pth")
        again, told = load_encoder(tmp_path / "tv.pth")
        assert told.left_out == ("classifier.2.weight", "classifier.2.bias")
        torch.testing.assert_close(again(views), net(views))
    grey, _ = make_encoder("convnext_tiny", in_channels=1)
    initialise(grey, tmp_path / "timm.safetensors")
    with torch.no_grad():
        one = to_input(VIEWS, 1)
        torch.testing.assert_close(
            grey.eval()(one), net(one.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4
        )
