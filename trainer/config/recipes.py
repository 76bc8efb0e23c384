"""Settings that belong to a recipe, as released with the papers; a user's own settings win.

They depend on recipe and method alone, never on the pairs: a plain run and a gaze run of one recipe
differ in nothing but the mask. (The released baselines had rates, warm-up and accumulation of their
own; see docs/training.md.)
"""

from typing import Any

_MAMMO = {"size": 224, "threshold": 0.95, "drop": 0.5, "weight_decay": 1e-6, "warmup_epochs": 40.0}
_KNEE = {"size": 224, "threshold": 0.95, "drop": 0.0, "lr": 8e-4, "weight_decay": 1e-6,
         "warmup_epochs": 10.0, "epochs": 800, "batch": 32}  # fmt: skip
_DENTAL = {"size": 300, "aspect": 2.0, "drop": 0.5, "weight_decay": 1e-6, "warmup_epochs": 40.0,
           "epochs": 300, "batch": 8}  # fmt: skip

# The method that each recipe was released with; the others take the kind that is most like them.
_SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    # It has no target net to hold it: at the default of 3e-4 it collapsed in part (docs/study.md).
    ("radiograph", "simsiam"): {"lr": 1e-4},
    ("mammo", "siamese"): {**_MAMMO, "batch": 32, "accumulate": 16, "lr": 2e-5, "epochs": 400},
    ("mammo", "contrastive"): {**_MAMMO, "batch": 16, "lr": 4e-5, "epochs": 200},
    ("knee", "siamese"): {**_KNEE, "accumulate": 4},
    ("knee", "contrastive"): {**_KNEE, "queue": 320},
    ("dental", "siamese"): {**_DENTAL, "accumulate": 16, "lr": 2e-5, "threshold": 0.9},
    ("dental", "contrastive"): {**_DENTAL, "lr": 4e-5, "threshold": 0.7},
}


def settings_of(recipe: str, method: str) -> dict[str, Any]:
    """Return the settings of a recipe for a method: those of its kind, then those of its own."""
    kind = "siamese" if method in ("byol", "simsiam") else "contrastive"
    return {**_SETTINGS.get((recipe, kind), {}), **_SETTINGS.get((recipe, method), {})}
