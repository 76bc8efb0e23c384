"""How others name the weights of an encoder: timm, Hugging Face, Meta; and layer scale.

DINOv2 (and RAD-DINO, which is one) multiplies what each half of a layer adds by a learnt number for
each feature. The last linear map of that half takes these numbers in, so that torchvision's net,
which has none, computes the same.
"""

import math
import re
from collections.abc import Collection, Mapping

import torch
from torch import Tensor

HUGGING_FACE = "embeddings.patch_embeddings.projection.weight"
"""The first layer of Hugging Face's ViT and DINOv2."""
HUGGING_FACE_V3 = "embeddings.patch_embeddings.weight"
"""The first layer of Hugging Face's DINOv3."""
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
# Hugging Face's DINOv3, and Meta's own, against the names that timm gives its parts.
_QKV_V3 = re.compile(r"^layer\.(\d+)\.attention\.([qkv])_proj\.(weight|bias)$")
_NAMES_V3 = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.register_tokens$", "reg_token"),
    (r"^embeddings\.patch_embeddings\.", "patch_embed.proj."),
    (r"^layer\.(\d+)\.(norm1|norm2)\.", r"blocks.\1.\2."),
    (r"^layer\.(\d+)\.attention\.o_proj\.", r"blocks.\1.attn.proj."),
    (r"^layer\.(\d+)\.layer_scale([12])\.lambda1$", r"blocks.\1.ls\2.gamma"),
    (r"^layer\.(\d+)\.mlp\.down_proj\.", r"blocks.\1.mlp.fc2."),
)
_NAMES_META = (
    (r"^(?:storage_tokens|register_tokens)$", "reg_token"),
    (r"^blocks\.(\d+)\.mlp\.(?:w12|weights_in)\.", r"blocks.\1.mlp.fc1."),
    (r"^blocks\.(\d+)\.mlp\.(?:w3|weights_out)\.", r"blocks.\1.mlp.fc2."),
)
_OF_META_ALONE = re.compile(r"^rope_embed\.|\.qkv\.bias_mask$|^local_cls_norm\.")
_GATED = re.compile(r"^blocks\.(\d+)\.mlp\.(w1|w2)\.(weight|bias)$")


def renamed_to_timm(state: Mapping[str, Tensor], landmark: str) -> dict[str, Tensor]:
    """Return a state dict with timm's names where its first layer is Hugging Face's, else as is."""
    if landmark == HUGGING_FACE:
        return _from_hugging_face(state)
    return _from_hugging_face_v3(state) if landmark == HUGGING_FACE_V3 else dict(state)


def _from_hugging_face(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
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


def _from_hugging_face_v3(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a DINOv3's state dict by timm's names for a transformer's parts.

    Keys have no bias there: theirs is 0.
    """
    gated = "layer.0.mlp.gate_proj.weight" in state
    first = (
        (r"^layer\.(\d+)\.mlp\.gate_proj\.", r"blocks.\1.mlp.fc1_g."),
        (r"^layer\.(\d+)\.mlp\.up_proj\.", rf"blocks.\1.mlp.fc1{'_x' if gated else ''}."),
    )
    made: dict[str, Tensor] = {}
    for key, value in state.items():
        if (match := _QKV_V3.match(key)) is None:
            made[_renamed(key, (*_NAMES_V3, *first))] = value
        elif match[2] == "q":
            k, v = (state.get(key.replace(".q_proj.", f".{part}_proj.")) for part in "kv")
            there = value, torch.zeros_like(value) if k is None else k, v
            made[f"blocks.{match[1]}.attn.qkv.{match[3]}"] = torch.cat(
                [part for part in there if part is not None]
            )
    return made


def to_eva(state: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """Return a transformer's state dict as timm's net wants it, of Meta's or by timm's names.

    timm's DINOv3 (its class Eva) calls layer scale ``gamma_1``, and has the biases of query and
    value apart or, where they are 0 in what was released, none. A bias that is not 0 and that the
    net has no place for is kept under its own name, so that it is told as one that does not fit.
    """
    made: dict[str, Tensor] = {}
    for key, value in state.items():
        if _OF_META_ALONE.search(key) or _UNUSED.match(key):
            continue
        name = _renamed(key, _NAMES_META)
        if (match := _GATED.match(name)) and name not in wanted:
            name = f"blocks.{match[1]}.mlp.fc1_{'g' if match[2] == 'w1' else 'x'}.{match[3]}"
        if (match := _SCALE.match(name)) and name not in wanted:
            name = f"{match[1]}.gamma_{match[2]}"
        if name.endswith(".attn.qkv.bias") and name not in wanted:
            made |= _biases(name, value, wanted)
        else:
            made[name] = value
    return _without_class_position(made, wanted)


def _biases(name: str, value: Tensor, wanted: Collection[str]) -> dict[str, Tensor]:
    query, _, values = value.nan_to_num().chunk(3)  # the key's is masked: not a number, or 0
    apart = {name.replace("qkv.bias", f"{p}_bias"): v for p, v in (("q", query), ("v", values))}
    if set(apart) <= set(wanted):
        return apart
    return {} if not query.any() and not values.any() else {name: value}


def _without_class_position(state: dict[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """Add the class token's position to the token, where registers stand beside it.

    Meta's and Hugging Face's files have positions (1, 1 + G², D); timm's net with registers has
    those of the patches alone.
    """
    positions, token = state.get("pos_embed"), state.get("cls_token")
    if "reg_token" not in wanted or positions is None or token is None:
        return state
    patches = positions.shape[1] - 1
    if math.isqrt(patches) ** 2 != patches:
        return state
    return state | {"cls_token": token + positions[:, :1], "pos_embed": positions[:, 1:]}


def net_of_timm(state: Mapping[str, Tensor]) -> str:
    """Return the name of the DINOv2 with registers or DINOv3 that a state dict is of, or nothing.

    Keys are Meta's or timm's.
    """
    if not {"reg_token", "register_tokens", "storage_tokens"} & state.keys():
        return ""
    width, patch = (state["patch_embed.proj.weight"].shape[n] for n in (0, -1))
    if "pos_embed" in state:
        sizes = {384: "small", 768: "base", 1024: "large", 1536: "giant"}
        return f"timm:vit_{sizes.get(width, 'base')}_patch{patch}_reg4_dinov2"
    sizes = {384: "small", 768: "base", 1024: "large", 1280: "huge_plus", 4096: "7b"}
    plus = width == 384 and any(re.search(r"\.mlp\.(w1|fc1_g)\.", key) for key in state)
    biases = [v for k, v in state.items() if re.search(r"\.(qkv\.bias|q_bias|v_bias)$", k)]
    biased = any(bool(b.nan_to_num().any()) for b in biases)
    size = sizes.get(width, "base") + "_plus" * plus
    return f"timm:vit_{size}_patch{patch}_dinov3{'_qkvb' * biased}"


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
