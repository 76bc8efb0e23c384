"""DINOv2 with registers and DINOv3: files of Meta, Hugging Face and timm give timm's features.

Layouts as published: facebookresearch/dinov2 and dinov3 (`storage_tokens`, `qkv.bias_mask`),
transformers' Dinov2WithRegistersModel and DINOv3ViTModel.
"""

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.trainer.encoders.test_layouts import to_hugging_face
from trainer.encoders.layouts import net_of_timm
from trainer.encoders.library_weights import fit_library
from trainer.encoders.nets import load_encoder, seeded_weights
from trainer.encoders.patches import layer_with_places
from trainer.encoders.weights import open_weights
from trainer.errors import EncoderError, EncoderOfLibrary
from trainer.methods.trajectory import with_patches

timm = pytest.importorskip("timm")
V2, V3 = "vit_small_patch14_reg4_dinov2", "vit_small_patch16_dinov3"
SMALL = {"num_classes": 0, "depth": 2, "embed_dim": 48, "num_heads": 3}


def drawn(name: str, size: int, seed: int = 0, **more):
    """Return a small net of timm's, its tokens and scales as if it had learnt."""
    with seeded_weights(seed):
        net = timm.create_model(name, img_size=size, **SMALL, **more).eval()
    draws = torch.Generator().manual_seed(seed)
    for key, value in net.state_dict().items():
        if re.search(r"gamma|token|bias|pos_embed", key):
            value.copy_(torch.rand(value.shape, generator=draws) - 0.3)
    return net


def with_class_position(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give the class token a position again, as the files have it and timm's net does not."""
    at = torch.full((1, 1, 48), 0.25)
    positions = torch.cat([at, state["pos_embed"]], 1)
    return state | {"cls_token": state["cls_token"] - at, "pos_embed": positions}


def v2_of(net, layout: str) -> dict[str, Tensor]:
    state = dict(net.state_dict())
    if layout == "timm":
        return state
    state = with_class_position(state)
    registers = state.pop("reg_token")
    if layout == "meta":
        return state | {"register_tokens": registers, "mask_token": torch.zeros(1, 48)}
    return to_hugging_face(state, dino=True) | {"embeddings.register_tokens": registers}


def v3_of(net, layout: str) -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}
    state = dict(net.state_dict())
    if layout == "timm":
        return state
    for key, value in state.items():
        key = re.sub(r"\.gamma_([12])$", r".ls\1.gamma", key)
        key = key.replace("reg_token", "storage_tokens")
        if key.endswith("q_bias"):
            v = state[key.replace("q_bias", "v_bias")]
            name = key.replace("q_bias", "qkv.bias")
            made[name] = torch.cat([value, torch.full_like(value, torch.nan), v])
            made[f"{name}_mask"] = torch.ones(3 * len(value))
        elif not key.endswith("v_bias"):
            made[key] = value
    made |= {"mask_token": torch.zeros(1, 48), "rope_embed.periods": torch.ones(4)}
    return made if layout == "meta" else v3_of_hugging_face(made)


def v3_of_hugging_face(state: dict[str, Tensor]) -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}
    for key, value in state.items():
        key = re.sub(r"^blocks\.", "layer.", key)
        key = key.replace("attn.proj.", "attention.o_proj.").replace("mlp.fc1.", "mlp.up_proj.")
        key = key.replace("mlp.fc2.", "mlp.down_proj.")
        key = re.sub(r"\.ls([12])\.gamma", r".layer_scale\1.lambda1", key)
        key = key.replace("storage_tokens", "register_tokens")
        key = key.replace("patch_embed.proj.", "patch_embeddings.")
        key = re.sub(r"^(.*_token|register_tokens|patch_emb.*)$", r"embeddings.\1", key)
        if ".attn.qkv." in key and not key.endswith("mask"):
            for part, third in zip("qkv", value.chunk(3), strict=True):
                if not (part == "k" and key.endswith("bias")):
                    name = key.replace(".attn.qkv.", f".attention.{part}_proj.")
                    made[name] = third.contiguous()
        elif not key.endswith(("mask", "periods")):
            made[key] = value
    return made


def written(state: dict[str, Tensor], path: Path) -> Path:
    save_file({k: v.clone().contiguous() for k, v in state.items()}, path)
    return path


def views(size: int) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("layout", ["timm", "meta", "hugging face"])
@pytest.mark.parametrize(("name", "size"), [(V2, 56), (V3, 64), (f"{V3}_qkvb", 64)])
def test_each_layout_gives_the_features_of_timms_net(
    tmp_path: Path, name: str, size: int, layout: str
) -> None:
    theirs = drawn(name, size)
    state = v2_of(theirs, layout) if name == V2 else v3_of(theirs, layout)
    ours = drawn(name, size, seed=1)
    assert fit_library(ours, open_weights(written(state, tmp_path / "file.safetensors"))) == ()
    with torch.no_grad():
        torch.testing.assert_close(ours(views(size)), theirs(views(size)), atol=1e-5, rtol=1e-5)


def test_positions_of_registers_nets_fit_another_size(tmp_path: Path) -> None:
    small, large = drawn(V2, 56), drawn(V2, 112, seed=1)
    fit_library(large, open_weights(written(v2_of(small, "meta"), tmp_path / "file.safetensors")))
    assert large.pos_embed.shape == (1, 64, 48)
    torch.testing.assert_close(large.cls_token, small.cls_token)
    mean = [net.pos_embed.detach().mean() for net in (small, large)]
    torch.testing.assert_close(*mean, atol=0.02, rtol=0)


def test_a_bias_that_the_net_has_no_place_for_is_not_lost_in_silence(tmp_path: Path) -> None:
    biased = v3_of(drawn(f"{V3}_qkvb", 64), "meta")
    with pytest.raises(EncoderError, match=r"unknown: blocks\.0\.attn\.qkv\.bias"):
        fit_library(drawn(V3, 64), open_weights(written(biased, tmp_path / "biased.safetensors")))
    plain = {k: v * 0 if k.endswith("qkv.bias") else v for k, v in biased.items()}
    fit_library(drawn(V3, 64), open_weights(written(plain, tmp_path / "plain.safetensors")))


@pytest.mark.parametrize(
    ("name", "layout", "size"),
    [(V2, "meta", 56), (V2, "timm", 56), (V3, "meta", 64), (f"{V3}_qkvb", "meta", 64),
     (f"{V3}_qkvb", "timm", 64)],
)  # fmt: skip
def test_a_file_tells_which_of_timms_nets_it_is_of(name: str, layout: str, size: int) -> None:
    state = (v2_of if name == V2 else v3_of)(drawn(name, size), layout)
    wide = state["patch_embed.proj.weight"].repeat(8, 1, 1, 1)
    assert net_of_timm(state | {"patch_embed.proj.weight": wide}) == f"timm:{name}"


def test_a_file_with_registers_says_which_encoder_to_name(tmp_path: Path) -> None:
    path = written(v2_of(drawn(V2, 56), "hugging face"), tmp_path / "file.safetensors")
    with pytest.raises(
        EncoderOfLibrary, match=r"Choose the encoder timm:vit_\w+_patch14_reg4_dinov2"
    ):
        load_encoder(path, name="vit_s_14")


@pytest.mark.parametrize(("name", "size", "patch"), [(V2, 56, 14), (V3, 64, 16)])
def test_patches_are_those_of_the_image_and_not_the_registers(
    name: str, size: int, patch: int
) -> None:
    net = drawn(name, size)
    tokens: list[Tensor] = []
    layer_with_places(net, "layer3").register_forward_hook(lambda *call: tokens.append(call[2]))
    with torch.no_grad():
        features, maps = with_patches(net, views(size))
        assert torch.equal(features, net(views(size)))
    side = size // patch
    assert maps.shape == (2, 48, side, side)
    assert tokens[0].shape == (2, 5 + side**2, 48)
    assert torch.equal(maps[:, :, 1, 2], tokens[0][:, 5 + side + 2])
