"""The model card: what an encoder is, where it comes from, and how to load it."""

from collections.abc import Mapping
from typing import Any

from trainer.encoders.libraries import loading_code
from trainer.encoders.names import library_of

_LEFT_OUT = ("config", "input", "name", "left_out")


def model_card(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown; `card` is the content of `encoder.json`."""
    shown = card["input"]
    return f"""# {card["name"]}

An image encoder pre-trained by Foveate. For research, not for diagnosis.

{_loading(card)}

Input: {shown["channels"]} channel(s), {shown["height"]} × {shown["width"]} px, {shown["grey"]},
normalised with mean {list(shown["mean"])} and standard deviation {list(shown["std"])}.

{_transductive(card)}
{_left_out(card)}
| fact | value |
|---|---|
{_rows(card)}

## Settings

| setting | value |
|---|---|
{_table(card["config"])}

## Licence

The weights were learned from the images of one cohort, identified above by its fingerprint. Whether
they may be passed on, and on what terms, is for the holders of the rights in its images to decide;
this file grants none.
"""


def _rows(card: Mapping[str, Any]) -> str:
    return _table({k: v for k, v in card.items() if k not in _LEFT_OUT})


def _table(values: Mapping[str, Any]) -> str:
    return "\n".join(f"| {k} | {v} |" for k, v in values.items())


def _transductive(card: Mapping[str, Any]) -> str:
    if card["transductive"]:
        return (
            "**Transductive:** images of the test split were used in pre-training. A score on "
            "that split is not a score on unseen patients."
        )
    return "Images of the test split were not used in pre-training."


def _left_out(card: Mapping[str, Any]) -> str:
    names = card.get("left_out", ())
    if not names:
        return ""
    return f"""
{len(names)} images of the cohort were not used, because their pictures cannot be read:
{", ".join(names)}.
"""


def _loading(card: Mapping[str, Any]) -> str:
    name, size = card["encoder"], card["input"]["height"]
    channels = card["input"]["channels"]
    parts = [_FOVEATE]
    if library_of(name):
        if channels == 3 or library_of(name) == "timm":
            view = size, card["input"]["width"]
            parts = [loading_code(name, channels, view), _FOVEATE]
    elif channels == 3:
        vit = name.startswith("vit")
        torchvision = _TORCHVISION_VIT if vit else _TORCHVISION
        timm = _TIMM_VIT if vit else _TIMM
        if name in _SMALL:
            torchvision, timm = _SMALL[name]
        if name.startswith("convnext"):
            torchvision, timm = _CONVNEXT, ""
        parts = [
            text.format(name=name, size=size, long=_LONG.get(name[4:5], ""), patch=name[-2:])
            for text in (torchvision, timm, _FOVEATE)
            if text
        ]
    return "\n\n".join(f"```python\n{p.strip()}\n```" for p in parts)


_LONG = {"s": "small", "b": "base", "l": "large"}

_TORCHVISION = """
import torch, torchvision
from safetensors.torch import load_file

net = torchvision.models.{name}()
net.fc = torch.nn.Identity()
net.load_state_dict(load_file("encoder.safetensors"), strict=True)
"""

_TORCHVISION_VIT = """
import torch, torchvision
from safetensors.torch import load_file

# {name}; torchvision.models has functions for vit_b_16 and vit_l_16, this serves for all
state = load_file("encoder.safetensors")
width = state["conv_proj.weight"].shape[0]
layers = 24 if width == 1024 else 12
net = torchvision.models.VisionTransformer({size}, {patch}, layers, width // 64, width, 4 * width)
net.heads = torch.nn.Identity()
net.load_state_dict(state, strict=True)
"""

_TIMM = """
import timm
from safetensors.torch import load_file

net = timm.create_model("{name}", num_classes=0)
net.load_state_dict(load_file("encoder.safetensors"), strict=True)
"""

_TIMM_VIT = """
import timm
from safetensors.torch import load_file

net = timm.create_model(
    "vit_{long}_patch16_224", img_size={size}, patch_size={patch}, num_classes=0
)
net.load_state_dict(load_file("encoder.timm.safetensors"), strict=True)
"""

_CONVNEXT = """
import torch, torchvision
from safetensors.torch import load_file

net = torchvision.models.{name}()
net.classifier[2] = torch.nn.Identity()
net.load_state_dict(load_file("encoder.safetensors"), strict=True)
"""

_SMALL = {
    "resnet10": (
        """
import torch, torchvision
from safetensors.torch import load_file

net = torchvision.models.ResNet(torchvision.models.resnet.BasicBlock, [1, 1, 1, 1])
net.fc = torch.nn.Identity()
net.load_state_dict(load_file("encoder.safetensors"), strict=True)
""",
        "",
    ),
    "vit_mini_8": (
        """
import torch, torchvision
from safetensors.torch import load_file

net = torchvision.models.VisionTransformer({size}, 8, 4, 2, 128, 512)
net.heads = torch.nn.Identity()
net.load_state_dict(load_file("encoder.safetensors"), strict=True)
""",
        """
import timm
from safetensors.torch import load_file

net = timm.models.VisionTransformer({size}, 8, num_classes=0, embed_dim=128, depth=4, num_heads=2)
net.load_state_dict(load_file("encoder.timm.safetensors"), strict=True)
""",
    ),
}
"""Nets that neither torchvision nor timm has a name for: code of both; "": of one alone."""

_FOVEATE = """
from trainer.encoders.nets import load_encoder, to_input

net, info = load_encoder("encoder.safetensors")
features = net(to_input(grey, info.in_channels))  # grey (B, 1, H, W), 0 black to 1 white
"""
