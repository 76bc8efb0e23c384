"""What a form says, as the trainer's command line takes it."""

from collections.abc import Mapping
from typing import Any

from app.pages.pretrain.basic_settings import BY_RATE, NAMED_OPTIONS
from app.pages.pretrain.run_settings import settings_of

Values = Mapping[str, Any]


def train_options(chosen: Values, changed: Values) -> list[str]:
    """Return the arguments of `python main.py train`.

    Parameters
    ----------
    chosen
        The settings that matter first, all of them.
    changed
        Of the further settings, those that differ from what the recipe has.
    """
    words = [w for n in ("method", "pairs", "encoder") for w in (f"--{n}", chosen[n])]
    if by_gaze(chosen["pairs"]):
        words += ["--measure", chosen["measure"], *_rule(chosen)]
    words += [w for n in NAMED_OPTIONS for w in (f"--{n}", str(chosen[n]))]
    return words + settings_of(changed)


def sweep_options(chosen: Values, changed: Values, seeds: int) -> list[str]:
    """Return the arguments of `python main.py sweep` that compare this with plain runs.

    Pairs that do not come from gaze are those of GzPT then; McGIP is GzPT that drops no pair.
    """
    left = {n: value for n, value in changed.items() if n not in ("seed", "name")}
    drop = 0 if chosen["pairs"] == "mcgip" else left.pop("drop", 0.5)
    words = ["--seeds", str(seeds), "--measures", chosen["measure"], *_rule(chosen)]
    words += ["--drop", f"{drop:g}", "--"]
    words += [w for n in ("method", "encoder", *NAMED_OPTIONS) for w in (f"--{n}", str(chosen[n]))]
    return words + settings_of(left)


def by_gaze(pairs: str) -> bool:
    """Tell whether pairs come from gaze."""
    return pairs not in ("none", "label")


def _rule(chosen: Values) -> list[str]:
    if chosen["rule"] == BY_RATE:
        return ["--positive-rate", f"{chosen['amount'] / 100:g}"]
    return ["--threshold", f"{chosen['amount']:g}"]
