"""How others name the weights of an encoder: timm, Hugging Face; and layer scale.

DINOv2 (and RAD-DINO, which is one) multiplies what each half of a layer adds by a learnt number for
each feature. The last linear map of that half takes these numbers in, so that torchvision's net,
which has none, computes the same.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

HUGGING_FACE = "embeddings.patch_embeddings.projection.weight"
"""The first layer of Hugging Face's ViT and DINOv2."""
_PARTS = ("query", "key", "value")
_QKV = re.compile(
    r"^encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\.(weight|bias)$"
)
# Against timm's names, which the rest is read by; those of ViT, then those of DINOv2.
_NAMES = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.register_tokens$", "reg_token"),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.(\d+)\.layernorm_before\.", r"blocks.\1.norm1."),
    (r"^encoder\.layer\.(\d+)\.layernorm_after\.", r"blocks.\1.norm2."),
    (r"^encoder\.layer\.(\d+)\.intermediate\.dense\.", r"blocks.\1.mlp.fc1."),
    (r"^encoder\.layer\.(\d+)\.output\.dense\.", r"blocks.\1.mlp.fc2."),
    (r"^encoder\.layer\.(\d+)\.attention\.output\.dense\.", r"blocks.\1.attn.proj."),
    (r"^encoder\.layer\.(\d+)\.(norm1|norm2|mlp\.fc1|mlp\.fc2)\.", r"blocks.\1.\2."),
    (r"^encoder\.layer\.(\d+)\.layer_scale([12])\.lambda1$", r"blocks.\1.ls\2.gamma"),
)
_SCALE = re.compile(r"^(blocks\.\d+)\.ls([12])\.gamma$")
_UNUSED = re.compile(r"^(embeddings\.)?mask_token$|^pooler\.|^classifier\.")


def from_hugging_face(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a vision transformer's state dict with timm's keys, from Hugging Face's."""
    made: dict[str, Tensor] = {}
    for key, value in state.items():
        if (match := _QKV.match(key)) and match[2] == "query":
            whole = [state.get(key.replace(".query.", f".{part}.")) for part in _PARTS]
            there = [v for v in whole if v is not None]
            made[f"blocks.{match[1]}.attn.qkv.{match[3]}"] = torch.cat(there)
        elif match is None:
            made[_renamed(key, _NAMES)] = value
    return made


def without_layer_scale(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a vision transformer's state dict (timm's keys) whose maps took layer scale in."""
    made = {k: v for k, v in state.items() if not _SCALE.match(k) and not _UNUSED.match(k)}
    for key, gamma in state.items():
        if match := _SCALE.match(key):
            last = f"{match[1]}.{'attn.proj' if match[2] == '1' else 'mlp.fc2'}"
            for name, scale in ((f"{last}.weight", gamma[:, None]), (f"{last}.bias", gamma)):
                if name in made:
                    made[name] = made[name] * scale
    return made


# timm's names against torchvision's, of a vision transformer and of a ConvNeXt.
_TIMM = (
    (r"^stem\.(\d)\.", r"features.0.\1."),
    (r"^stages\.0\.blocks\.", "features.1."),
    (r"^stages\.1\.downsample\.", "features.2."),
    (r"^stages\.1\.blocks\.", "features.3."),
    (r"^stages\.2\.downsample\.", "features.4."),
    (r"^stages\.2\.blocks\.", "features.5."),
    (r"^stages\.3\.downsample\.", "features.6."),
    (r"^stages\.3\.blocks\.", "features.7."),
    (r"^head\.norm\.", "classifier.0."),
    (r"^cls_token$", "class_token"),
    (r"^pos_embed$", "encoder.pos_embedding"),
    (r"^patch_embed\.proj\.", "conv_proj."),
    (r"^norm\.", "encoder.ln."),
    (r"^blocks\.(\d+)\.norm1\.", r"encoder.layers.encoder_layer_\1.ln_1."),
    (r"^blocks\.(\d+)\.norm2\.", r"encoder.layers.encoder_layer_\1.ln_2."),
    (r"^blocks\.(\d+)\.attn\.qkv\.(weight|bias)$",
     r"encoder.layers.encoder_layer_\1.self_attention.in_proj_\2"),
    (r"^blocks\.(\d+)\.attn\.proj\.",
     r"encoder.layers.encoder_layer_\1.self_attention.out_proj."),
    (r"^blocks\.(\d+)\.mlp\.fc1\.", r"encoder.layers.encoder_layer_\1.mlp.0."),
    (r"^blocks\.(\d+)\.mlp\.fc2\.", r"encoder.layers.encoder_layer_\1.mlp.3."),
)  # fmt: skip
_TORCHVISION = (
    (r"^class_token$", "cls_token"),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^encoder\.ln\.", "norm."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.ln_1\.", r"blocks.\1.norm1."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.ln_2\.", r"blocks.\1.norm2."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_(weight|bias)$",
     r"blocks.\1.attn.qkv.\2"),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.",
     r"blocks.\1.attn.proj."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.mlp\.0\.", r"blocks.\1.mlp.fc1."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.mlp\.3\.", r"blocks.\1.mlp.fc2."),
)  # fmt: skip


_TIMM_BLOCK = (
    (r"^(features\.\d\.\d+)\.conv_dw\.", r"\1.block.0."),
    (r"^(features\.\d\.\d+)\.norm\.", r"\1.block.2."),
    (r"^(features\.\d\.\d+)\.mlp\.fc1\.", r"\1.block.3."),
    (r"^(features\.\d\.\d+)\.mlp\.fc2\.", r"\1.block.5."),
    (r"^(features\.\d\.\d+)\.gamma$", r"\1.layer_scale"),
)


def from_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state dict of a vision transformer or ConvNeXt by torchvision's keys."""
    return {_renamed(_renamed(key, _TIMM), _TIMM_BLOCK): v for key, v in state.items()}


def to_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a vision transformer's state dict with timm's keys, from torchvision's."""
    return {_renamed(key, _TORCHVISION): value for key, value in state.items()}


def _renamed(key: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        if re.match(pattern, key):
            return re.sub(pattern, replacement, key)
    return key
