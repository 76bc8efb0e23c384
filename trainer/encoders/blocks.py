"""An encoder as a row of blocks: which a warm start trains, and how fast each one learns.

The stem (first convolution, or patches, class token and positions) is block 0; residual blocks or
transformer layers follow. What stands behind the last one belongs to it, what leads into a
ConvNeXt's stage to the block before. Of a library's other nets a block is what stands in a row of
modules: a layer, or a stage where the library keeps its layers within one.
"""

import re
from collections.abc import Collection
from types import MethodType

from torch import nn
from torchvision.models import ConvNeXt, ResNet, VisionTransformer

from trainer.errors import ConfigError

_RESIDUAL = re.compile(r"^layer(\d+)\.(\d+)\.")
_CONVNEXT = re.compile(r"^features\.([1357])\.(\d+)\.")
_STEMS = (["conv1"], ["stem"], ["patch_embed"])
_LAYER = re.compile(r"^encoder\.layers\.encoder_layer_(\d+)\.")


def block_numbers(encoder: nn.Module) -> dict[str, int]:
    """Return the block of each parameter, by name."""
    if not isinstance(encoder, ResNet | ConvNeXt | VisionTransformer):
        return _of_containers(encoder)
    names = [name for name, _ in encoder.named_parameters()]
    places = {name: _place(name) for name in names}
    row = {p: k for k, p in enumerate(sorted({p for p in places.values() if p is not None}), 1)}
    found, reached = {}, 0
    for name in names:  # in the order of the net
        place = places[name]
        reached = reached if place is None else row[place]
        found[name] = 0 if _is_stem(name) else reached
    return found


def _of_containers(encoder: nn.Module) -> dict[str, int]:
    """Return the blocks of any other net: what stands in its rows of modules, one after the other.

    The first is the stem, and so are parameters of the net itself: tokens and positions. A part
    with vectors alone, as normalisation, belongs to the block before it.
    """
    units: dict[tuple[str, ...], list[str]] = {}
    for name, _ in encoder.named_parameters():
        units.setdefault(_unit(encoder, name), []).append(name)
    found, reached = dict.fromkeys(units.pop((), []), 0), -1
    for names in units.values():
        vectors = all(encoder.get_parameter(name).ndim < 2 for name in names)
        reached = max(0, reached if vectors else reached + 1)
        found |= dict.fromkeys(names, reached)
    return found


def _unit(encoder: nn.Module, name: str) -> tuple[str, ...]:
    """Return the path of the module that a parameter lies in, down to what is no row of modules."""
    module: nn.Module = encoder
    path: list[str] = []
    *parents, _ = name.split(".")
    for part in parents:
        if path[:1] in _STEMS or (path and type(module) not in (nn.Sequential, nn.ModuleList)):
            break
        path.append(part)
        module = module.get_submodule(part)
    return tuple(path)


def _place(name: str) -> tuple[int, int] | None:
    """Return stage and place of the block that a parameter lies in; None outside of all."""
    if match := _LAYER.match(name):
        return 0, int(match[1])
    match = _RESIDUAL.match(name) or _CONVNEXT.match(name)
    return (int(match[1]), int(match[2])) if match else None


def _is_stem(name: str) -> bool:
    """Return whether a parameter is of the stem; a transformer names some of them late."""
    return name.startswith(("conv", "bn1", "class_token", "encoder.pos_embedding", "features.0."))


def rate_scales(encoder: nn.Module, decay: float) -> dict[str, float]:
    """Return what each parameter's rate is multiplied by: `decay` for each block from the heads on.

    The last block has `decay`, the one before it its square; the stem the lowest (Clark et al.
    2020, arXiv 2003.10555; Bao et al. 2022, BEiT, arXiv 2106.08254).
    """
    numbers = block_numbers(encoder)
    last = max(numbers.values(), default=0)
    return {name: decay ** (last + 1 - number) for name, number in numbers.items()}


def train_last_blocks(encoder: nn.Module, count: int) -> None:
    """Let only the last blocks of an encoder learn, in place; the others stay as they are.

    They stay in evaluation mode: statistics of batch normalisation are those of the file.

    Raises
    ------
    ConfigError
        If it has fewer blocks.
    """
    numbers = block_numbers(encoder)
    last = max(numbers.values(), default=0)
    if count > last:
        raise ConfigError(
            f"train_blocks is {count}, but the encoder has {last} blocks. Use 1 to {last}, or 0 to "
            "train all of it."
        )
    learning = {name for name, number in numbers.items() if number > last - count}
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(name in learning)
    for module_name, module in encoder.named_modules():
        inside = [n for n in numbers if n.startswith(f"{module_name}.")] if module_name else []
        if inside and not learning & set(inside):
            _hold(module)


def held_still(module: nn.Module) -> set[str]:
    """Return the names of the modules within that do not learn."""
    return {name for name, part in module.named_modules() if "train" in vars(part)}


def hold_still(module: nn.Module, names: Collection[str]) -> None:
    """Keep modules by name as they are, in place: they were replaced by others since."""
    for name, part in module.named_modules():
        if name in names:
            _hold(part)


def _hold(module: nn.Module) -> None:
    module.eval()
    module.train = MethodType(_stay, module)  # type: ignore[method-assign]


def _stay(module: nn.Module, mode: bool = True) -> nn.Module:
    """Stand in for `train` of a module that does not learn."""
    return module
