"""Encoders of torchvision and timm by the library's own name, less their last layer.

Nothing is downloaded: nets start at random, or from a local file. The state dict has the library's
own keys, so that what is exported loads strictly into a net made by that library alone.
"""

import copy
import difflib
import importlib
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torchvision
from torch import nn

from trainer.encoders.names import library_of, name_in_library
from trainer.encoders.weights import with_channels
from trainer.errors import EncoderError

_OTHER_TASKS = {  # by the folder of torchvision.models that the net is of
    "detection": "finds objects and gives their boxes",
    "segmentation": "assigns a class to each pixel",
    "video": "takes clips, not single images",
    "optical_flow": "takes two images and estimates the motion between them",
    "quantization": "has 8-bit weights, which cannot be trained",
}
_WITHOUT_SIDE_HEADS = ("googlenet", "inception_v3")
_LOADING = "from safetensors.torch import load_file\n"
_STRICT = 'net.load_state_dict(load_file("encoder.safetensors"), strict=True)'
# torchvision's MNASNet looks for a version that no file of tensors alone can tell.
_STRICT_VERSIONED = """state, weights = net.state_dict(), load_file("encoder.safetensors")
assert state.keys() == weights.keys()
state.update(weights)
net.load_state_dict(state, strict=True)"""
_CLASSES = 1000
_USUAL_SIZE = 224


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a library makes a net.

    Attributes
    ----------
    settings
        Beside the name.
    head
        The last layer, which is taken away; empty where the library leaves it out by itself.
    """

    settings: dict[str, Any]
    head: str = ""


def make_of_library(name: str, channels: int, view: tuple[int, int]) -> tuple[nn.Module, int]:
    """Return a library's net without its last layer, and the width of its features.

    Weights come from torch's global generator.

    Parameters
    ----------
    name
        ``torchvision:NAME`` or ``timm:NAME``.
    channels
        1 or 3.
    view
        Height and width of the views, pixels.

    Raises
    ------
    EncoderError
        If the library is not installed or has no such net, if it gives no feature vector of an
        image, or does not take views of this size; says which.
    """
    with torch.device("cpu"):  # some draw or count with numbers that "meta" has none of
        if library_of(name) == "timm":
            net = _of_timm(name, channels, view)
        else:
            net = _of_torchvision(name, view)
            take_channels(net, channels)
        _require_whole_patches(net, name, view)
        return net, _width(net, name, channels, view)


def usual_size(name: str) -> int:
    """Return the side of the views that a library's net is made for, pixels."""
    if library_of(name) != "timm":
        return _USUAL_SIZE
    return int(_timm().get_pretrained_cfg(_known_to_timm(name)).input_size[-1])


def has_one_size(name: str) -> bool:
    """Return whether a library's net is made for views of one size."""
    own = name_in_library(name)
    if library_of(name) == "timm":
        return bool(_timm().get_pretrained_cfg(_known_to_timm(name)).fixed_input_size)
    return own.startswith(("vit_", "maxvit"))


def recipe_of(name: str, channels: int, view: tuple[int, int]) -> Recipe:
    """Return how a net is made by its library alone, for those who load what was exported."""
    own = name_in_library(name)
    if library_of(name) == "timm":
        size = {"img_size": _side(view)} if has_one_size(name) else {}
        grey = {"in_chans": channels} if channels != 3 else {}
        return Recipe({"num_classes": 0, **grey, **size})
    with torch.device("cpu"):
        net = _whole_torchvision(name, view)
    settings = _torchvision_settings(own, view)
    if own in _WITHOUT_SIDE_HEADS:
        settings["init_weights"] = False
    return Recipe(settings, _head(net))


def loading_code(name: str, channels: int, view: tuple[int, int]) -> str:
    """Return the Python lines that load an exported encoder with its library alone."""
    recipe, own = recipe_of(name, channels, view), name_in_library(name)
    settings = "".join(f", {key}={value!r}" for key, value in recipe.settings.items())
    loading = _STRICT_VERSIONED if own.startswith("mnasnet") else _STRICT
    if library_of(name) == "timm":
        made = f'import timm\n{_LOADING}\nnet = timm.create_model("{own}"{settings})'
    else:
        made = (
            f"import torch, torchvision\n{_LOADING}\n"
            f'net = torchvision.models.get_model("{own}"{settings})\n'
            f'net.set_submodule("{recipe.head}", torch.nn.Identity())'
        )
    return f"{made}\n{loading}"


def first_convolution(net: nn.Module) -> str:
    """Return the name of the layer that takes the image; empty where no convolution does."""
    return next((n for n, m in net.named_modules() if isinstance(m, nn.Conv2d)), "")


def take_channels(net: nn.Module, channels: int) -> None:
    """Let the first convolution take fewer channels, its weights summed over the old ones."""
    name = first_convolution(net)
    old = net.get_submodule(name)
    assert isinstance(old, nn.Conv2d)
    if old.in_channels == channels:
        return
    new = copy.deepcopy(old)
    new.in_channels = channels
    new.weight = nn.Parameter(with_channels(old.weight.detach(), channels).clone())
    net.set_submodule(name, new)


def _of_torchvision(name: str, view: tuple[int, int]) -> nn.Module:
    net = _whole_torchvision(name, view)
    net.set_submodule(_head(net), nn.Identity())
    return net


def _whole_torchvision(name: str, view: tuple[int, int]) -> nn.Module:
    own = name_in_library(name)
    models = torchvision.models
    if own not in models.list_models():
        raise EncoderError(
            f"torchvision has no net {own!r}.{_alike(own, models.list_models())} "
            "torchvision.models.list_models() names all that it has."
        )
    folder = models.get_model_builder(own).__module__.split(".")[2]
    if folder in _OTHER_TASKS:
        raise EncoderError(
            f"torchvision's {own} {_OTHER_TASKS[folder]}; an encoder gives one feature vector for "
            "one image. Choose a net for classification."
        )
    settings = {"weights": None, **_torchvision_settings(own, view)}
    return _made(name, view, partial(models.get_model, own, **settings))


def _torchvision_settings(own: str, view: tuple[int, int]) -> dict[str, Any]:
    if own in _WITHOUT_SIDE_HEADS:
        return {"aux_logits": False, "init_weights": True}
    if own.startswith("maxvit"):
        return {"input_size": view}
    return {"image_size": view[0]} if own.startswith("vit_") else {}


def _head(net: nn.Module) -> str:
    """Return the name of the layer that gives the classes; of a SqueezeNet it is a convolution."""
    layers = [
        name
        for name, part in net.named_modules()
        if getattr(part, "out_features", getattr(part, "out_channels", 0)) == _CLASSES
        and isinstance(part, nn.Linear | nn.Conv2d)
    ]
    return str(layers[-1])


def _of_timm(name: str, channels: int, view: tuple[int, int]) -> nn.Module:
    own, settings = _known_to_timm(name), recipe_of(name, channels, view).settings
    return _made(name, view, partial(_timm().create_model, own, pretrained=False, **settings))


def _made(name: str, view: tuple[int, int], make: Callable[[], nn.Module]) -> nn.Module:
    try:
        return make()
    except Exception as error:  # each net has its own ways to refuse
        raise EncoderError(
            f"{name} cannot be made for views of {_words(view)}: {_first_line(error)} It is made "
            f"for a size of {usual_size(name)} pixels."
        ) from error


def _known_to_timm(name: str) -> str:
    own = name_in_library(name)
    if not _timm().is_model(own):  # names that reach out, such as hf-hub:…, are none either
        raise EncoderError(
            f"timm has no net {own!r}.{_alike(own, _timm().list_models())} "
            "timm.list_models('*vit*') lists those whose names contain vit."
        )
    return str(own)


def _alike(name: str, known: Sequence[str]) -> str:
    """Return a sentence with the names that are most like one; empty where none is."""
    close = difflib.get_close_matches(name, known, 3)
    return f" Names like it are: {', '.join(close)}." if close else ""


def _timm() -> Any:
    if importlib.util.find_spec("timm") is None:
        raise EncoderError(
            "Encoders named timm:… need timm, which is not installed. Use pip install "
            "foveate[timm], or an encoder of another name."
        )
    return importlib.import_module("timm")


def _require_whole_patches(net: nn.Module, name: str, view: tuple[int, int]) -> None:
    patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    if patch is None:
        return
    sides = (patch, patch) if isinstance(patch, int) else tuple(patch)
    if any(length % side for length, side in zip(view, sides, strict=True)):
        raise EncoderError(
            f"{name} cuts views into patches of {sides[0]} pixels; the view is {_words(view)}. "
            f"Choose a size that is a multiple, e.g. {sides[0] * max(1, view[0] // sides[0])}."
        )


@torch.no_grad()
def _width(net: nn.Module, name: str, channels: int, view: tuple[int, int]) -> int:
    """Return the width of the features, found by shapes alone where the net allows it."""
    trained = net.training
    net.eval()
    try:
        features = _shapes_only(net, channels, view)
        if features is None:
            features = net(torch.zeros(1, channels, *view))
    except Exception as error:  # each net has its own ways to refuse
        raise EncoderError(
            f"{name} does not take views of {_words(view)}: {_first_line(error)} Choose another "
            f"size; it is made for {usual_size(name)} pixels."
        ) from error
    finally:
        net.train(trained)
    if not isinstance(features, torch.Tensor) or features.ndim != 2:
        shape = tuple(features.shape) if isinstance(features, torch.Tensor) else "several outputs"
        raise EncoderError(
            f"{name} gives {shape} for an image; an encoder gives one feature vector. Choose a "
            "net for classification."
        )
    return int(features.shape[1])


def _shapes_only(net: nn.Module, channels: int, view: tuple[int, int]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return copy.deepcopy(net).to("meta")(torch.zeros(1, channels, *view, device="meta"))
    except Exception:  # it needs numbers, or does not take these views: the real one says
        return None


def _side(view: tuple[int, int]) -> int | tuple[int, int]:
    return view[0] if view[0] == view[1] else view


def _words(view: tuple[int, int]) -> str:
    return f"{view[0]} × {view[1]} pixels"


def _first_line(error: Exception) -> str:
    text = (str(error).splitlines() or [""])[0].strip()[:200] or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
