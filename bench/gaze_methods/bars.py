"""The bars, as they were set before any method was written, and whether a table meets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.gaze_methods.plan import Cell
from bench.study.summary import Figure, Line, gain

BUDGET = "10"
HARMLESS = -0.02
"""Mean difference to plain at g = 0 below which a method does harm."""
OF_FULL_GAIN = 0.5
"""Share of the gain of full reading that predicted pairs must bring with a tenth of it."""
_CONTROLS = {"shuffled": "the same places in another order", "blocks": "random places"}
Found = Mapping[str, Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar and what was found.

    Attributes
    ----------
    name, asks
        What it is of, and what it asks in words.
    figure
        What was measured.
    met
        None where it was not measured, or on one seed alone.
    """

    name: str
    asks: str
    figure: Figure
    met: bool | None


def bars(found: Found) -> list[Bar]:
    """Return every bar with what a table says of it."""
    made = []
    for method in ("soft", "trajectory"):
        made += [_better(found, method), _harmless(found, method)]
    made += [_harmless(found, "predicted", read=0.1), _unread(found)]
    made += [_order(found, other) for other in _CONTROLS]
    return made


def passes(found: Found, method: str) -> bool | None:
    """Return whether a method is above GzPT at g = 1 and harmless at g = 0; None: not known."""
    own = [b.met for b in bars(found) if b.name.startswith(f"{method},")]
    if False in own:
        return False
    return None if None in own or not own else True


def _better(found: Found, method: str) -> Bar:
    ours, theirs = (Cell(name, 1.0).name for name in (method, "gzpt"))
    figure = gain(found.get(ours, []), found.get(theirs, []), BUDGET)
    asks = "above GzPT at g = 1, the interval of the difference above 0"
    return Bar(f"{method}, g = 1", asks, figure, figure.low > 0 if figure.seeds > 1 else None)


def _harmless(found: Found, method: str, read: float = Cell().read) -> Bar:
    ours, plain = Cell(method, 0.0, read).name, Cell().name
    figure = gain(found.get(ours, []), found.get(plain, []), BUDGET)
    asks = f"at g = 0 not below {HARMLESS:+.2f} against plain".replace("-", "−")
    met = figure.mean >= HARMLESS if figure.seeds > 1 else None
    return Bar(f"{method}, g = 0", asks, figure, met)


def _unread(found: Found) -> Bar:
    """Return the bar of unread images: predicted gain less half of the gain of full reading.

    Full is what most cells read; the difference is paired by seed.
    """
    plain = {line["seed"]: line for line in found.get(Cell().name, [])}
    full = {line["seed"]: line for line in found.get(Cell("gzpt", g=1.0).name, [])}
    half = []
    for seed in plain.keys() & full.keys():
        low, high = (table[seed]["linear"][BUDGET] for table in (plain, full))
        half.append({"seed": seed, "linear": {BUDGET: low + OF_FULL_GAIN * (high - low)}})
    figure = gain(found.get(Cell("predicted", g=1.0, read=0.1).name, []), half, BUDGET)
    asks = "gaze on 10 % of the images: at least half of the gain of full reading, by the mean"
    met = figure.mean >= 0 if figure.seeds > 1 else None
    return Bar("predicted, 10 % read", asks, figure, met)


def _order(found: Found, other: str) -> Bar:
    own = Cell("trajectory", 1.0)
    ours, theirs = own.name, replace(own, order=other).name
    figure = gain(found.get(ours, []), found.get(theirs, []), BUDGET)
    asks = f"order counts: above {_CONTROLS[other]}, the interval of the difference above 0"
    return Bar(f"trajectory's order, {other}", asks, figure,
               figure.low > 0 if figure.seeds > 1 else None)  # fmt: skip
