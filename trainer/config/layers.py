"""Settings put together from layers and checked: what is refused, and by which name."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from trainer.config.config import ENCODERS, PAIRS, RunConfig
from trainer.config.methods import METHODS, plain_method_name
from trainer.config.recipes import RECIPES
from trainer.config.recipes import settings_of as recipe_settings
from trainer.encoders.names import library_of, plain_encoder_name
from trainer.errors import ConfigError, EncoderError, SimilarityError
from trainer.similarity.names import AUTO, AUTO_TITLE

if TYPE_CHECKING:
    from trainer.similarity.base import Measure

_MAY_BE_ABSENT = (
    "threshold", "positive_rate", "warmup_epochs", "momentum", "temperature", "test_share",
)  # fmt: skip
_DEFAULTS = RunConfig()
_KNOWN = tuple(f.name for f in fields(RunConfig))
_ENCODER_NAMES = {
    **{f"vit_{short}": f"vit_{short}_16" for short in "sbl"},
    **{f"vit_{long}": f"vit_{long[0]}_16" for long in ("small", "base", "large")},
    **{f"vit_{long}_patch16_224": f"vit_{long[0]}_16" for long in ("small", "base", "large")},
}


def make_config(*layers: Mapping[str, Any]) -> RunConfig:
    """Return the config of some layers, the last one strongest, checked.

    Raises
    ------
    ConfigError
        Naming the field, its value and what may stand there.
    """
    config = RunConfig(**merged(layers))
    check(config)
    return config


def merged(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of some layers over those of the recipe that they name."""
    values: dict[str, Any] = {}
    for layer in layers:
        _add_layer(values, layer)
    recipe, method = (values.get(n, getattr(_DEFAULTS, n)) for n in ("recipe", "method"))
    below: dict[str, Any] = {}
    if recipe in RECIPES and method in METHODS:
        _add_layer(below, recipe_settings(recipe, method))
    if {"threshold", "positive_rate"} & values.keys():
        below = {k: v for k, v in below.items() if k not in ("threshold", "positive_rate")}
    return {**below, **values}


def _add_layer(values: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for name in layer:
        if name not in _KNOWN:
            raise ConfigError(_unknown(name))
    rule = [n for n in ("threshold", "positive_rate") if layer.get(n) is not None]
    if len(rule) == 2:
        raise ConfigError(
            "threshold and positive_rate are both given, but only one of them can define pairs. "
            "Remove one."
        )
    # Each layer is checked, also where a stronger one hides it: what is mistyped is not meant.
    values.update({name: _typed(name, value) for name, value in layer.items()})
    if rule:
        values["positive_rate" if rule == ["threshold"] else "threshold"] = None


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, _KNOWN, 1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"Unknown setting {name!r}.{meant} Settings are {', '.join(_KNOWN)}."


def _typed(name: str, value: Any) -> Any:
    default = getattr(_DEFAULTS, name)
    kind = float if name in _MAY_BE_ABSENT else type(default)
    if value is None and name in _MAY_BE_ABSENT:
        return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and not isinstance(value, str) and name == "name":
        return str(value)
    if type(value) is not kind:
        raise ConfigError(f"{name} must be {_KINDS[kind]}, not {value!r}.")
    if name == "encoder" and isinstance(value, str):
        plain = plain_encoder_name(value, ENCODERS)
        return _ENCODER_NAMES.get(plain, plain)
    return plain_method_name(str(value)) if name == "method" else value


_KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: "a table",
}

_CHOICES: dict[str, tuple[str, ...]] = {
    "pairs": tuple(PAIRS),
    "encoder": ENCODERS,
    "recipe": tuple(RECIPES),
    "normalisation": ("batch", "anchor"),
    "path_order": ("gaze", "shuffled", "blocks"),
    "same_patient": ("negative", "ignore"),
    "crop": ("random", "ccrop", "gaze"),
    "depth": ("display", "stored"),
    "optimiser": ("adamw", "sgd", "lars"),
    "momentum_schedule": ("", "cosine", "constant", "fitted"),
    "compile_mode": ("default", "reduce-overhead", "max-autotune-no-cudagraphs"),
    "norm": ("batch", "group", "split"),
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
}

# Lowest, highest; a bound itself is allowed unless the text says otherwise.
RANGES: dict[str, tuple[float, float]] = {
    "test_share": (0, 0.9),
    "in_channels": (1, 3),
    "size": (16, 2048),
    "aspect": (0.1, 10),
    "batch": (2, 65536),
    "accumulate": (1, 65536),
    "epochs": (1, 1_000_000),
    "lr": (1e-12, 1e3),
    "weight_decay": (0, 10),
    "warmup_epochs": (0, 1_000_000),
    "clip_grad": (0, 1e9),
    "momentum": (0, 1),
    "temperature": (1e-3, 100),
    "queue": (1, 10_000_000),
    "projector_hidden": (0, 65536),
    "projector_out": (0, 65536),
    "predictor_hidden": (0, 65536),
    "early_stop": (0, 1_000_000),
    "neighbours": (0, 100_000),
    "softness": (0, 1),
    "path_weight": (0, 1000),
    "window_jitter": (0, 0.9),
    "train_blocks": (0, 1000),
    "layer_decay": (0.01, 1),
    "workers": (0, 256),
    "seed": (0, 2**63 - 1),
    "knn_every": (0, 1_000_000),
    "checkpoint_every": (0, 1_000_000_000),
}


def choices() -> dict[str, tuple[str, ...]]:
    """Return what may stand in each field that is chosen from a list."""
    return {"method": tuple(METHODS), **_CHOICES, "measure": (AUTO, *_measures())}


def titles() -> dict[str, dict[str, str]]:
    """Return how people write what may stand in a field, where that is not its name."""
    return {
        "method": {name: spec.title for name, spec in METHODS.items()},
        "pairs": PAIRS,
        "depth": {"display": "8-bit pictures", "stored": "Stored values"},
        "measure": {AUTO: AUTO_TITLE} | {n: m.title for n, m in _measures().items()},
    }


def check(config: RunConfig) -> None:
    """Refuse what cannot be.

    Raises
    ------
    ConfigError
        Naming the field, its value and what may stand there.
    """
    _check_choices(config)
    _check_ranges(config)
    _check_measure_parameters(config)
    if config.in_channels == 2:
        raise ConfigError("in_channels is 2; an encoder takes 1 (grey) or 3 (like ImageNet's).")
    if config.weighs_pairs and config.neighbours:
        raise ConfigError(
            "softness and agreement weigh pairs by their rank among all pairs; neighbours takes "
            "the nearest of each image. Set neighbours to 0, or softness to 0 and agreement to "
            "false."
        )
    if config.train_blocks and not config.init:
        raise ConfigError(
            f"train_blocks is {config.train_blocks}: the other blocks keep their initial weights, "
            "which are random without init. Name a file of weights (init), or set train_blocks to "
            "0."
        )
    if config.layer_decay < 1 and not config.init:
        raise ConfigError(
            f"layer_decay is {config.layer_decay:g}: lower rates in the first blocks preserve "
            "what a file has taught them, but without init they start at random. Name a file of "
            "weights (init), or set layer_decay to 1."
        )
    if config.train_blocks and config.norm == "group" and not _without_batches(config):
        raise ConfigError(
            "norm is group, which replaces the batch normalisation of blocks that train_blocks "
            "keeps as they are in the file. Set norm to batch, or train_blocks to 0."
        )
    if config.norm == "split" and not (
        METHODS[config.method].queue and config.encoder.startswith("resnet")
    ):
        raise ConfigError(
            f"norm is split, which is for MoCo v2 with a ResNet; this run has {config.method} "
            f"with {config.encoder}. Set norm to batch or group."
        )
    if library_of(config.encoder):
        _check_library(config)
    elif config.encoder.startswith("vit"):
        patch = int(config.encoder.rpartition("_")[2])
        if config.size % patch or config.aspect != 1:
            raise ConfigError(
                f"{config.encoder} cuts square views into patches of {patch} pixels; size is "
                f"{config.size}, aspect {config.aspect:g}. Choose a size that is a "
                f"multiple of {patch}, such as 224, and aspect 1."
            )


_AND_LIBRARIES = ", torchvision:NAME and timm:NAME"


def _check_choices(config: RunConfig) -> None:
    for name, known in choices().items():
        value = getattr(config, name)
        if value not in known and not (name == "encoder" and library_of(value)):
            raise ConfigError(
                f"{name} is {value!r}; it must be one of "
                f"{', '.join(map(str, known))}{_AND_LIBRARIES * (name == 'encoder')}.")  # fmt: skip
    if not re.fullmatch(r"[A-Za-z0-9_.-]{0,60}", config.name):
        raise ConfigError(
            f"name is {config.name!r}; it becomes part of a folder name, so use up to 60 letters, "
            "digits, dots, hyphens and underscores."
        )


def _without_batches(config: RunConfig) -> bool:
    """Return whether an encoder surely has no batch normalisation."""
    return config.encoder.startswith(("vit", "convnext"))


def _check_library(config: RunConfig) -> None:
    """Make the net once: its library alone knows which views it takes."""
    from trainer.encoders.libraries import make_of_library  # torch is slow to import

    try:
        make_of_library(config.encoder, config.in_channels, config.view)
    except EncoderError as error:
        raise ConfigError(f"encoder is {config.encoder}: {error}") from error


def _measures() -> "dict[str, Measure]":
    from trainer.similarity.registry import MEASURES  # numba is slow to import; only now needed

    return MEASURES


def _check_ranges(config: RunConfig) -> None:
    for name, (lowest, highest) in RANGES.items():
        value = getattr(config, name)
        if value is not None and not lowest <= value <= highest:
            raise ConfigError(f"{name} is {value}; it must lie between {lowest} and {highest}.")
    if not 0 <= config.drop < 1:
        raise ConfigError(
            f"drop is {config.drop}; it must be a probability of at least 0 and below 1."
        )
    rate = config.positive_rate
    if rate is not None and not 0 < rate < 1:
        raise ConfigError(f"positive_rate is {rate}; it must be a share above 0 and below 1.")
    threshold = config.threshold
    if threshold is not None and not -1 <= threshold <= 1:
        raise ConfigError(f"threshold is {threshold}; it must lie between -1 and 1.")
    if rate is None and threshold is None:
        raise ConfigError(
            "Neither threshold nor positive_rate is given, but pairs need one of them."
        )


def _check_measure_parameters(config: RunConfig) -> None:
    """Refuse them before the study is read, not after."""
    # numba is slow to import; only now needed
    from trainer.similarity.evidence.settings import check_settings

    try:
        check_settings(config.measure, config.measure_parameters)
    except SimilarityError as error:
        raise ConfigError(f"measure_parameters: {error}") from error
