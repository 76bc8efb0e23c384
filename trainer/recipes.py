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
    ("mammo", "siamese"): {**_MAMMO, "batch": 32, "accumulate": 16, "lr": 2e-5, "epochs": 400},
    ("mammo", "contrastive"): {**_MAMMO, "batch": 16, "lr": 4e-5, "epochs": 200},
    ("knee", "siamese"): {**_KNEE, "accumulate": 4},
    ("knee", "contrastive"): {**_KNEE, "queue": 320},
    ("dental", "siamese"): {**_DENTAL, "accumulate": 16, "lr": 2e-5, "threshold": 0.9},
    ("dental", "contrastive"): {**_DENTAL, "lr": 4e-5, "threshold": 0.7},
}


def settings_of(recipe: str, method: str) -> dict[str, Any]:
    """Return the settings of a recipe for a method; `radiograph` has the defaults.

    But for SimSiam's rate: it has no target net to hold it, and at 3·10⁻⁴ it collapsed in part
    (docs/study.md: feature spread 0.66, RankMe 57, where 10⁻⁴ kept 0.77 and 103).
    """
    if (recipe, method) == ("radiograph", "simsiam"):
        return {"lr": 1e-4}
    kind = "siamese" if method in ("byol", "simsiam") else "contrastive"
    return dict(_SETTINGS.get((recipe, kind), {}))
