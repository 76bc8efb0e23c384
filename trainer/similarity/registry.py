"""The measures by name, and the one way to compare readings by any of them.

A measure is a module of this package with a `MEASURE`; a new one needs no other change.
"""

import importlib
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np

import trainer.similarity as package
from trainer.errors import SimilarityError
from trainer.similarity.base import (
    CanvasParameters,
    FloatArray,
    Gaze,
    Measure,
    Progress,
    Similarity,
    Work,
    never,
    no_progress,
)


def _discover() -> dict[str, Measure]:
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    others = (importlib.import_module(name) for name in names if name != __name__)
    found = [m.MEASURE for m in others if isinstance(getattr(m, "MEASURE", None), Measure)]
    return {measure.name: measure for measure in found}


MEASURES: dict[str, Measure] = _discover()


def find_measure(name: str) -> Measure:
    """Return a measure by name.

    Raises
    ------
    SimilarityError
        Naming those that exist.
    """
    if name not in MEASURES:
        raise SimilarityError(f"No measure is called {name!r}; there are {', '.join(MEASURES)}.")
    return MEASURES[name]


def make_parameters(measure: str, settings: Mapping[str, Any] | None = None) -> CanvasParameters:
    """Return a measure's parameters: the released defaults, changed by settings by name.

    Values may be text, as from a command line.

    Raises
    ------
    SimilarityError
        For a name the measure does not have, or a value out of range or of another type.
    """
    default = find_measure(measure).parameters()
    known = [f.name for f in fields(default)]
    changes = {}
    for name, value in (settings or {}).items():
        if name not in known:
            raise SimilarityError(
                f"{measure} has no parameter {name!r}; it has {', '.join(known)}."
            )
        changes[name] = _converted(f"{measure}.{name}", value, getattr(default, name))
    return replace(default, **changes)


def compare(
    measure: str,
    gazes: Sequence[Gaze],
    parameters: CanvasParameters | Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
    *,
    jobs: int = 0,
) -> Similarity:
    """Compare all pairs of readings.

    Parameters
    ----------
    measure
        A name of `MEASURES`.
    gazes
        N readings.
    parameters
        Of the measure, or settings by name; the released defaults where not said.
    progress
        Called with (done, total): one step a reading for its features, and as many for all pairs.
    cancelled
        Asked between blocks.
    jobs
        Threads; 0 is one for each core.

    Raises
    ------
    SimilarityError
        For an unknown measure or parameter.
    Cancelled
        Soon after `cancelled` returned True.
    """
    start, chosen, n = time.perf_counter(), find_measure(measure), len(gazes)
    if isinstance(parameters, CanvasParameters):
        settings = parameters
    else:
        settings = make_parameters(measure, parameters)
    features = _features(
        chosen, gazes, settings, Work(jobs, lambda done, _: progress(done, 2 * n), cancelled)
    )
    second_half = Work(
        jobs, lambda done, total: progress(n + n * done // max(total, 1), 2 * n), cancelled
    )
    pairs = chosen.matrix(features, settings, second_half)
    seconds = time.perf_counter() - start
    return Similarity(pairs.matrix, pairs.valid, measure, asdict(settings), seconds)


def _features(
    measure: Measure, gazes: Sequence[Gaze], parameters: CanvasParameters, work: Work
) -> list[FloatArray]:
    out: list[FloatArray] = [np.empty(0)] * len(gazes)

    def fill(i: int) -> Callable[[], None]:
        def task() -> None:
            out[i] = measure.features(gazes[i], parameters)

        return task

    # One reading a task: an hour at 1,200 Hz takes seconds, and a stop must not wait for eight.
    work.run([fill(i) for i in range(len(gazes))], [1] * len(gazes))
    return out


def _converted(name: str, value: Any, default: Any) -> Any:
    kind = type(default)
    try:
        if kind is bool:
            return _boolean(value)
        converted = kind(value)
    except (TypeError, ValueError) as error:
        raise SimilarityError(f"{name} must be {kind.__name__}, not {value!r}.") from error
    if kind is int and not isinstance(value, str) and converted != value:
        raise SimilarityError(f"{name} must be a whole number, not {value!r}.")
    return converted


def _boolean(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]
