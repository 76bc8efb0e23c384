"""What a sweep tries: every measure with every rule and drop, and plain, with the same seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Setting:
    """One way of making pairs.

    Attributes
    ----------
    name
        As the table calls it; also the name of its folders.
    options
        Of `python main.py train`.
    """

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A setting with a seed: one pre-training."""

    setting: Setting
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.setting.name}_seed{self.seed}"


def settings(
    gaze: Mapping[str, tuple[str, ...]],
    rates: Sequence[float],
    thresholds: Sequence[float],
    drops: Sequence[float],
) -> list[Setting]:
    """Return plain, then every measure × rule × drop.

    Parameters
    ----------
    gaze
        Each measure, or file of similarities, by name, with the options of `train` for it.
    rates, thresholds
        The rules: shares of positive pairs, and similarities above which a pair is positive.
    drops
        Chances that a pair is left out of a step.
    """
    rules = [("--positive-rate", "rate", r) for r in rates]
    rules += [("--threshold", "above", t) for t in thresholds]
    found = [Setting(PLAIN, ("--pairs", "none"))]
    for measure, source in gaze.items():
        for option, word, amount in rules:
            for drop in drops:
                name = f"{measure}_{word}{amount:g}_drop{drop:g}"
                words = ("--pairs", "gzpt", *source, option, f"{amount:g}")
                found.append(Setting(name, (*words, "--drop", f"{drop:g}")))
    return found


def cells(chosen: Sequence[Setting], seeds: int) -> Iterator[Cell]:
    """Yield all cells, seed by seed, so that a sweep that is broken off has whole pairs."""
    for seed in range(seeds):
        for setting in chosen:
            yield Cell(setting, seed)
