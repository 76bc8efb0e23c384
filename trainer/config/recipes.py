"""Recipes: what may happen to views, and the settings that were released with the papers.

A user's own settings win. Settings depend on recipe and method alone, never on the pairs: a plain
run and a gaze run of one recipe differ in nothing but the mask. (The released baselines had rates,
warm-up and accumulation of their own; see docs/training.md.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.config.methods import find_method


@dataclass(frozen=True, slots=True)
class ViewRanges:
    """What may happen to a view; a range is (lowest, highest).

    Attributes
    ----------
    area, ratio
        Share of the image that is cropped, and width/height of the crop against the image's own
        (`squash`) or in pixels. None: the whole image.
    rotation_deg
        Largest rotation to either side, degrees.
    flip
        Chance of mirroring.
    brightness, contrast, tone
        Largest relative change, and the chance that both happen.
    blur_sigma, blur
        Gaussian, sigma in pixels of a 224-pixel view; and its chance.
    solarise
        Chance that values above one half are inverted.
    """

    area: tuple[float, float] | None = None
    ratio: tuple[float, float] = (1.0, 1.0)
    rotation_deg: float = 0.0
    flip: float = 0.5
    brightness: float = 0.0
    contrast: float = 0.0
    tone: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    blur: float = 0.5
    solarise: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How views are made, and settings by kind of method (`trainer.config.methods.KINDS`).

    A kind stands for the method that the recipe was released with and those most like it.
    """

    views: ViewRanges
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_MAMMO = {"measure": "tima", "size": 224, "threshold": 0.95, "drop": 0.5, "weight_decay": 1e-6,
          "warmup_epochs": 40.0}  # fmt: skip
_KNEE = {"measure": "tima", "size": 224, "threshold": 0.95, "drop": 0.0, "lr": 8e-4,
         "weight_decay": 1e-6, "warmup_epochs": 10.0, "epochs": 800, "batch": 32}  # fmt: skip
_DENTAL = {"measure": "tima", "size": 300, "aspect": 2.0, "drop": 0.5, "weight_decay": 1e-6,
           "warmup_epochs": 40.0, "epochs": 300, "batch": 8}  # fmt: skip

RECIPES: dict[str, Recipe] = {
    # Ours, safe for X-ray: no solarise (bone would turn to air), no colour jitter.
    "radiograph": Recipe(
        ViewRanges(
            area=(0.3, 1.0), ratio=(3 / 4, 4 / 3), rotation_deg=10, brightness=0.25, contrast=0.25,
            tone=0.8,
        ),
    ),
    # As released (INbreast): no crop. Of its colour jitter .8/.8/.8/.2 only the first two act on
    # grey images.
    "mammo": Recipe(
        ViewRanges(brightness=0.8, contrast=0.8, tone=0.8),
        {
            "siamese": {**_MAMMO, "batch": 32, "accumulate": 16, "lr": 2e-5, "epochs": 400},
            "contrastive": {**_MAMMO, "batch": 16, "lr": 4e-5, "epochs": 200},
        },
    ),
    # As released (OAI); crop as torchvision's RandomResizedCrop.
    "knee": Recipe(
        ViewRanges(area=(0.08, 1.0), ratio=(3 / 4, 4 / 3), solarise=0.2),
        {"siamese": {**_KNEE, "accumulate": 4}, "contrastive": {**_KNEE, "queue": 320}},
    ),
    # As released (Tufts): blur alone; a quarter of view pairs are the same picture twice.
    "dental": Recipe(
        ViewRanges(flip=0.0),
        {
            "siamese": {**_DENTAL, "accumulate": 16, "lr": 2e-5, "threshold": 0.9},
            "contrastive": {**_DENTAL, "lr": 4e-5, "threshold": 0.7},
        },
    ),
}  # fmt: skip


def settings_of(recipe: str, method: str) -> dict[str, Any]:
    """Return the settings of a recipe for a method: those of its kind, then those of its own.

    Raises
    ------
    ConfigError
        If there is no such method.
    """
    spec = find_method(method)
    return {**RECIPES[recipe].settings.get(spec.kind, {}), **spec.settings.get(recipe, {})}
