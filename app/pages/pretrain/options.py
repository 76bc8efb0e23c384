"""The form's settings, as the trainer's command line takes them."""

from collections.abc import Mapping
from typing import Any

from app.pages.pretrain.basic_settings import BY_RATE, NAMED_OPTIONS, OTHER_NET
from app.pages.pretrain.run_settings import settings_of

Values = Mapping[str, Any]
_OF_A_FILE = ("train_blocks", "layer_decay")
_OF_A_NET = ("in_channels", "aspect", "recipe", "norm")


def train_options(chosen: Values, changed: Values) -> list[str]:
    """Return the arguments of `python main.py train`.

    Parameters
    ----------
    chosen
        The most important settings, all of them.
    changed
        Those of the further settings that differ from the recipe's.
    """
    words = [w for n in ("method", "pairs") for w in (f"--{n}", chosen[n])]
    words += ["--encoder", encoder_of(chosen)]
    if by_gaze(chosen["pairs"]):
        words += ["--measure", chosen["measure"], *_rule(chosen)]
    words += [w for n in NAMED_OPTIONS for w in (f"--{n}", str(chosen[n]))]
    return words + _start_of(chosen) + settings_of(changed)


def sweep_options(chosen: Values, changed: Values, seeds: int) -> list[str]:
    """Return the arguments of `python main.py sweep` that compare this with plain runs.

    If the pairs do not come from gaze, those of GzPT are used; McGIP is GzPT that drops no pair.
    """
    left = {n: value for n, value in changed.items() if n not in ("seed", "name")}
    drop = 0 if chosen["pairs"] == "mcgip" else left.pop("drop", 0.5)
    words = ["--seeds", str(seeds), "--measures", chosen["measure"], *_rule(chosen)]
    words += ["--drop", f"{drop:g}", "--"]
    words += ["--method", chosen["method"], "--encoder", encoder_of(chosen)]
    words += [w for n in NAMED_OPTIONS for w in (f"--{n}", str(chosen[n]))]
    return words + _start_of(chosen) + settings_of(left)


def encoder_question(chosen: Values, changed: Values) -> list[str]:
    """Return the options about the encoder; none if it is known here and starts at random."""
    if chosen["encoder"] != OTHER_NET and not chosen["init"]:
        return []
    if not encoder_of(chosen):
        return []
    words = ["--method", chosen["method"], "--encoder", encoder_of(chosen)]
    words += ["--size", str(chosen["size"]), *_start_of(chosen)]
    return words + settings_of({n: value for n, value in changed.items() if n in _OF_A_NET})


def encoder_of(chosen: Values) -> str:
    """Return the name of the encoder, as the trainer takes it."""
    return str(chosen["net_name"] if chosen["encoder"] == OTHER_NET else chosen["encoder"])


def _start_of(chosen: Values) -> list[str]:
    """Return what the encoder starts from; how a file is used is meaningless without one."""
    if not chosen["init"]:
        return []
    return ["--init", chosen["init"], *settings_of({n: chosen[n] for n in _OF_A_FILE})]


def by_gaze(pairs: str) -> bool:
    """Tell whether pairs come from gaze."""
    return pairs not in ("none", "label")


def _rule(chosen: Values) -> list[str]:
    if chosen["rule"] == BY_RATE:
        return ["--positive-rate", f"{chosen['amount'] / 100:g}"]
    return ["--threshold", f"{chosen['amount']:g}"]
