"""What encoders are called, known without torch.

Ours go by their own names (`trainer.config.config.ENCODERS`); any other of torchvision or timm by
the library's: ``torchvision:densenet121``, ``timm:vit_small_patch14_reg4_dinov2``.
"""

import re
from collections.abc import Collection

LIBRARIES = ("torchvision", "timm")


def library_of(name: str) -> str:
    """Return the library that a name asks for; empty for an encoder of ours."""
    library, colon, _ = name.partition(":")
    return library if colon and library in LIBRARIES else ""


def name_in_library(name: str) -> str:
    """Return what the library calls it."""
    return name.partition(":")[2]


def plain_encoder_name(text: str, ours: Collection[str]) -> str:
    """Return the name that a text means: ours where the library's net is the same."""
    library, colon, own = text.strip().partition(":")
    if colon and library.lower() in LIBRARIES:
        same = library.lower() == "torchvision" and own in ours and own not in _ONLY_OURS
        return own if same else f"{library.lower()}:{own}"
    return re.sub(r"[-/ ]", "_", text.strip().lower())


_ONLY_OURS = ("resnet10", "vit_mini_8", "vit_s_16", "vit_s_14", "vit_b_14", "vit_l_14")
"""torchvision has no net of these names."""
