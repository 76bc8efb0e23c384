"""The time and memory that a run will need, before it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.workspace.runs import RunRow

_ALIKE = ("method", "encoder", "size", "batch")

# Parameters and activations (outputs of convolutions or blocks at 224 px) in millions, as the
# papers and timm list them (resnet10 and vit_mini_8: counted alike); three tensors of that size are
# kept for each output to go back.
_NETS = {
    "resnet10": (5.4, 1.6),
    "resnet18": (11.7, 2.5),
    "resnet34": (21.8, 3.8),
    "resnet50": (25.6, 11.1),
    "resnet101": (44.5, 16.2),
    "convnext_tiny": (28.6, 13.4),
    "convnext_small": (50.2, 21.6),
    "convnext_base": (88.6, 28.8),
    "vit_mini_8": (0.9, 5.2),
    "vit_s_16": (22.1, 12.0),
    "vit_b_16": (86.6, 16.5),
    "vit_l_16": (304.3, 43.8),
    "vit_s_14": (22.1, 15.7),
    "vit_b_14": (86.6, 21.6),
    "vit_l_14": (304.4, 57.3),
}
_KEPT_PER_OUTPUT = 3
_COPIES_OF_ALL = 2
"""Of all weights: themselves and the moving average."""
_COPIES_TO_LEARN = 3
"""Of the weights that learn: their gradient and two moments of AdamW."""
_VIEWS = 2


@dataclass(frozen=True, slots=True)
class NetFigures:
    """A net as the trainer counts it: its weights, those that learn, its outputs for one view."""

    parameters: int
    learning: int
    activations: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds, from an earlier run of the same kind, or None; memory in bytes, roughly."""

    seconds: float | None
    memory_bytes: float | None


def estimate(
    earlier: Sequence[RunRow], values: Mapping[str, Any], net: NetFigures | None = None
) -> Estimate:
    """Return what a run with some settings will take.

    Parameters
    ----------
    net
        Of the encoder, for the views that are set; None: as known here.
    """
    return Estimate(_seconds(earlier, values), _memory(values, net))


def _seconds(earlier: Sequence[RunRow], values: Mapping[str, Any]) -> float | None:
    for row in earlier:
        same = all(row.config.get(name) == values.get(name) for name in _ALIKE)
        took, epochs = row.details.get("training_seconds"), row.config.get("epochs")
        if row.state == "finished" and same and took and epochs:
            return float(took) / int(epochs) * int(values["epochs"])
    return None


def _memory(values: Mapping[str, Any], figures: NetFigures | None) -> float | None:
    images = int(values["batch"]) * _VIEWS
    if figures is not None:
        kept = _KEPT_PER_OUTPUT * figures.activations * images
        return 4 * (
            _COPIES_OF_ALL * figures.parameters + _COPIES_TO_LEARN * figures.learning + kept
        )
    net = _NETS.get(str(values.get("encoder", "resnet18")))
    if net is None:
        return None
    parameters, activations = net[0] * 1e6, net[1] * 1e6 * (int(values["size"]) / 224) ** 2
    copies = _COPIES_OF_ALL + _COPIES_TO_LEARN
    return 4 * (copies * parameters + _KEPT_PER_OUTPUT * activations * images)
