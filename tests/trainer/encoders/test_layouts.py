"""DINOv2's and Hugging Face's files: the same features as the nets they come from."""

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainer.encoders.nets import initialise, load_encoder, make_encoder, seeded_weights
from trainer.errors import EncoderError

timm = pytest.importorskip("timm")
VIEWS = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))


def drawn(name: str, **settings):
    """Return timm's net with layer scales as if it had learnt."""
    with seeded_weights(0):
        net = timm.create_model(name, img_size=28, num_classes=0, depth=2, **settings).eval()
    draws = torch.Generator().manual_seed(1)
    for key, value in net.state_dict().items():
        if key.endswith("gamma"):
            value.copy_(torch.rand(value.shape, generator=draws))
    return net


def to_hugging_face(state: dict[str, torch.Tensor], dino: bool) -> dict[str, torch.Tensor]:
    """Write timm's weights as Dinov2Model or ViTModel name them."""
    made = {}
    for key, value in state.items():
        plain = {
            "cls_token": "embeddings.cls_token",
            "pos_embed": "embeddings.position_embeddings",
        }.get(key, key)
        plain = plain.replace("patch_embed.proj.", "embeddings.patch_embeddings.projection.")
        plain = re.sub(r"^norm\.", "layernorm.", plain)
        plain = re.sub(r"^blocks\.(\d+)\.", r"encoder.layer.\1.", plain)
        plain = plain.replace(".attn.proj.", ".attention.output.dense.")
        plain = re.sub(r"\.ls([12])\.gamma", r".layer_scale\1.lambda1", plain)
        if not dino:
            plain = plain.replace(".norm1.", ".layernorm_before.")
            plain = plain.replace(".norm2.", ".layernorm_after.")
            plain = plain.replace(".mlp.fc1.", ".intermediate.dense.")
            plain = plain.replace(".mlp.fc2.", ".output.dense.")
        if ".attn.qkv." in plain:
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                name = plain.replace(".attn.qkv.", f".attention.attention.{part}.")
                made[name] = third.contiguous()
        else:
            made[plain] = value.contiguous()
    if dino:
        made["embeddings.mask_token"] = torch.zeros(1, value.shape[-1])
    return made


@pytest.fixture
def two_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    from functools import partial

    from trainer.encoders import nets

    for name, patch in (("vit_s_14", 14), ("vit_s_16", 16)):
        monkeypatch.setitem(nets._MAKERS, name, partial(nets._vit, 2, 6, 384, patch=patch))


@pytest.mark.usefixtures("two_layers")
@pytest.mark.parametrize("layout", ["timm", "hugging face", "within dinov2."])
def test_dinov2_gives_the_features_of_its_own_net(tmp_path: Path, layout: str) -> None:
    theirs = drawn("vit_small_patch14_dinov2")
    state = {k: v.contiguous() for k, v in theirs.state_dict().items()}
    if layout != "timm":
        state = to_hugging_face(state, dino=True)
    if layout.startswith("within"):
        state = {f"dinov2.{k}": v for k, v in state.items()}
    save_file(state, tmp_path / "dino.safetensors")
    ours, info = load_encoder(tmp_path / "dino.safetensors")
    assert (info.name, info.size, info.features) == ("vit_s_14", 28, 384)
    with torch.no_grad():
        torch.testing.assert_close(ours(VIEWS), theirs(VIEWS), atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures("two_layers")
def test_a_vit_of_hugging_face_gives_the_features_of_timms(tmp_path: Path) -> None:
    with seeded_weights(0):
        theirs = timm.create_model("vit_small_patch16_224", img_size=32, num_classes=0, depth=2)
    state = to_hugging_face(theirs.eval().state_dict(), dino=False)
    save_file(state, tmp_path / "vit.safetensors")
    ours, info = load_encoder(tmp_path / "vit.safetensors")
    assert info.name == "vit_s_16"
    views = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(ours(views), theirs(views), atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures("two_layers")
def test_registers_are_refused_by_name(tmp_path: Path) -> None:
    theirs = drawn("vit_small_patch14_reg4_dinov2")
    state = {k: v.contiguous() for k, v in theirs.state_dict().items()}
    save_file(state, tmp_path / "reg.safetensors")
    net, _ = make_encoder("vit_s_14", size=28)
    with pytest.raises(EncoderError, match="register tokens"):
        initialise(net, tmp_path / "reg.safetensors")
