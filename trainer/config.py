"""What a run does: one frozen dataclass, from `run.toml`, `--set name=value` and options.

Later layers win: defaults, then the file, then `--set`, then the options of the command line.
`threshold` and `positive_rate` exclude each other: a layer that gives one clears the other.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from trainer.errors import ConfigError, SimilarityError

METHODS = ("byol", "simsiam")
PAIRS = ("none", "mcgip", "gzpt", "label")
ENCODERS = ("resnet18", "resnet34", "resnet50", "resnet101")
RECIPES = ("radiograph", "mammo", "knee")

# These do not change what is learnt, only where and under which name.
_NOT_HASHED = ("name", "device", "checkpoint_every", "keep_checkpoints")
_MAY_BE_ABSENT = ("threshold", "positive_rate", "warmup_epochs")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Settings of one pre-training run.

    Attributes
    ----------
    name
        Part of the run folder's name; empty: method, pairs and encoder.
    method, pairs, encoder, recipe
        One of `METHODS`, `PAIRS`, `ENCODERS`, `RECIPES`. Between a plain run (``pairs = "none"``)
        and a gaze run only the pair mask differs.
    measure, measure_parameters
        Gaze similarity and what is passed on to it.
    threshold, positive_rate
        What makes two images a pair: similarity above `threshold`, or the share `positive_rate` of
        all pairs that are most alike; exactly one is set. The default is a rate of 5 %, because the
        papers' 0.95 of one measure lets through nearly all or hardly any pair of another measure
        or cohort, while 5 % always gives some 12 extra pairs in a batch of 32 at `drop` 0.5.
    drop
        GzPT: chance that an extra pair is left out of a step, 0 ≤ drop < 1.
    transductive
        Whether images of the split "test" take part; a run that says so carries it to its report.
    size, batch, epochs
        Side of a view in pixels, images per step, passes over the cohort.
    flip
        Whether views may be mirrored; off where left and right carry meaning.
    optimiser, lr, weight_decay, clip_grad
        "adamw" or "sgd"; learning rate after warm-up, falling to 0 along a cosine by step;
        largest norm of the gradient, 0 for no limit.
        The default rate suits random initialisation; fine-tuned starts want some 2e-5.
    warmup_epochs
        Epochs in which the rate rises. Unless given: 10, but a tenth of a run of fewer than 100
        epochs, since a short run would else spend most of its steps on a rate too low to learn by.
    momentum
        EMA of the target net at the start, rising to 1 along a cosine (BYOL).
    projector_hidden, projector_out, predictor_hidden
        Widths of the heads; 0 for the released ones (twice the feature width, 256, twice the
        feature width).
    device, precision, channels_last
        "auto", "cpu" or "cuda"; "auto", "fp32" or "bf16"; memory order of the nets.
    seed
        Of initialisation, order, views and dropped pairs.
    checkpoint_every
        Steps between checkpoints; 0: at the end of each epoch, once a minute at most.
    keep_checkpoints
        Whether a finished run keeps its older checkpoint too (some 200 MB each for ResNet-18).
    """

    name: str = ""
    method: str = "byol"
    pairs: str = "gzpt"
    measure: str = "tima"
    measure_parameters: dict[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    positive_rate: float | None = 0.05
    drop: float = 0.5
    transductive: bool = False
    encoder: str = "resnet18"
    recipe: str = "radiograph"
    flip: bool = True
    size: int = 128
    batch: int = 32
    epochs: int = 100
    optimiser: str = "adamw"
    lr: float = 3e-4
    weight_decay: float = 1e-6
    warmup_epochs: float | None = None
    clip_grad: float = 0.0
    momentum: float = 0.99
    projector_hidden: int = 0
    projector_out: int = 256
    predictor_hidden: int = 0
    device: str = "auto"
    precision: str = "auto"
    channels_last: bool = True
    seed: int = 0
    checkpoint_every: int = 0
    keep_checkpoints: bool = False

    def hash(self) -> str:
        """Return 16 hex digits of all that shapes the weights."""
        text = json.dumps(self.shaping(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def shaping(self) -> dict[str, Any]:
        """Return the fields that shape the weights, as JSON values."""
        return {k: v for k, v in asdict(self).items() if k not in _NOT_HASHED}

    @property
    def warmup(self) -> float:
        """Epochs of warm-up in force."""
        return min(10.0, self.epochs / 10) if self.warmup_epochs is None else self.warmup_epochs

    @property
    def uses_gaze(self) -> bool:
        """Whether pairs come from gaze similarity."""
        return self.pairs in ("mcgip", "gzpt")

    @property
    def run_name(self) -> str:
        """The name that the run goes by."""
        return self.name or f"{self.method}-{self.pairs}-{self.encoder}"


def make_config(*layers: Mapping[str, Any]) -> RunConfig:
    """Return the config of some layers, the last one strongest, checked.

    Raises
    ------
    ConfigError
        Naming the field, its value and what may stand there.
    """
    values: dict[str, Any] = {}
    for layer in layers:
        _add_layer(values, layer)
    config = RunConfig(**values)
    _check_choices(config)
    _check_ranges(config)
    _check_measure_parameters(config)
    return config


_DEFAULTS = RunConfig()
_KNOWN = tuple(f.name for f in fields(RunConfig))


def _add_layer(values: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for name in layer:
        if name not in _KNOWN:
            raise ConfigError(_unknown(name))
    rule = [n for n in ("threshold", "positive_rate") if layer.get(n) is not None]
    if len(rule) == 2:
        raise ConfigError(
            "threshold and positive_rate are both given; a pair is made by one of them. "
            "Take one away."
        )
    # Each layer is checked, also where a stronger one hides it: what is mistyped is not meant.
    values.update({name: _typed(name, value) for name, value in layer.items()})
    if rule:
        values["positive_rate" if rule == ["threshold"] else "threshold"] = None


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, _KNOWN, 1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"Unknown setting {name!r}.{meant} Known are {', '.join(_KNOWN)}."


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
    return value


_KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: "a table",
}


def choices() -> dict[str, tuple[str, ...]]:
    """Return what may stand in each field that is chosen from a list."""
    return {**_CHOICES, "measure": _measures()}


_CHOICES: dict[str, tuple[str, ...]] = {
    "method": METHODS,
    "pairs": PAIRS,
    "encoder": ENCODERS,
    "recipe": RECIPES,
    "optimiser": ("adamw", "sgd"),
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "fp32", "bf16"),
}


def _check_choices(config: RunConfig) -> None:
    for name, known in choices().items():
        value = getattr(config, name)
        if value not in known:
            raise ConfigError(f"{name} is {value!r}; known are {', '.join(known)}.")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{0,60}", config.name):
        raise ConfigError(
            f"name is {config.name!r}; it becomes part of a folder's name: up to 60 letters, "
            "digits, dots, hyphens and underscores."
        )


def _measures() -> tuple[str, ...]:
    from trainer.similarity.registry import MEASURES  # numba is slow to import; only now needed

    return tuple(MEASURES)


# Lowest, highest; a bound itself is allowed unless the text says otherwise.
RANGES: dict[str, tuple[float, float]] = {
    "size": (16, 2048),
    "batch": (2, 65536),
    "epochs": (1, 1_000_000),
    "lr": (1e-12, 1e3),
    "weight_decay": (0, 10),
    "warmup_epochs": (0, 1_000_000),
    "clip_grad": (0, 1e9),
    "momentum": (0, 1),
    "projector_hidden": (0, 65536),
    "projector_out": (2, 65536),
    "predictor_hidden": (0, 65536),
    "seed": (0, 2**63 - 1),
    "checkpoint_every": (0, 1_000_000_000),
}


def _check_ranges(config: RunConfig) -> None:
    for name, (lowest, highest) in RANGES.items():
        value = getattr(config, name)
        if value is not None and not lowest <= value <= highest:
            raise ConfigError(f"{name} is {value}; it must lie between {lowest} and {highest}.")
    if not 0 <= config.drop < 1:
        raise ConfigError(f"drop is {config.drop}; it is a probability of at least 0 and below 1.")
    rate = config.positive_rate
    if rate is not None and not 0 < rate < 1:
        raise ConfigError(f"positive_rate is {rate}; it is a share above 0 and below 1.")
    threshold = config.threshold
    if threshold is not None and not -1 <= threshold <= 1:
        raise ConfigError(f"threshold is {threshold}; similarity lies between -1 and 1.")
    if rate is None and threshold is None:
        raise ConfigError("Neither threshold nor positive_rate is given; pairs need one of them.")


def _check_measure_parameters(config: RunConfig) -> None:
    """Refuse them before the study is read, not after."""
    from trainer.similarity.items import settings_of  # numba is slow to import; only now needed

    try:
        settings_of(config.measure, config.measure_parameters)
    except SimilarityError as error:
        raise ConfigError(f"measure_parameters: {error}") from error
