"""The measures by name, and the one way to compare readings by any of them.

A measure is a module of `trainer.similarity.measures` with a `MEASURE`; a new one needs no other
change. Other distributions bring theirs by an entry point in `foveate.measures`.
"""

import importlib
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from types import ModuleType
from typing import Any

import numpy as np

from devices.plugins import free, plug_ins
from trainer.errors import SimilarityError
from trainer.similarity import measures as package
from trainer.similarity.base import (
    CanvasParameters,
    Gaze,
    Known,
    Measure,
    Similarity,
    by_name,
    require,
)
from trainer.similarity.cohort_pass import of_cohort
from trainer.similarity.dense import dense
from trainer.similarity.features import FeatureCache, feature_table
from trainer.similarity.task_runner import Progress, TaskRunner, never, no_progress


def discover(package: ModuleType) -> dict[str, Measure]:
    """Return the measures of all modules of a package by name."""
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    modules = [importlib.import_module(name) for name in names]
    found = [m.MEASURE for m in modules if isinstance(getattr(m, "MEASURE", None), Measure)]
    return {measure.name: measure for measure in found}


def with_plug_ins(own: Mapping[str, Measure]) -> dict[str, Measure]:
    """Return measures by name, and those of other distributions beside them."""
    found = dict(own)
    for each in plug_ins("foveate.measures"):
        content = each.content
        if isinstance(content, Measure) and free("foveate.measures", each, found):
            if content.name == each.name:
                found[each.name] = replace(content, plug_in=each.package)
            else:
                each.refuse("foveate.measures", f"its measure is called {content.name!r}")
    return found


MEASURES: dict[str, Measure] = with_plug_ins(discover(package))


def untaught() -> tuple[str, ...]:
    """Return the measures that look at gaze alone, and learn of no label and no second reader."""
    return tuple(n for n, m in MEASURES.items() if m.cohort is None or not m.cohort.learns)


def find_measure(name: str) -> Measure:
    """Return a measure by name.

    Raises
    ------
    SimilarityError
        Naming those that exist.
    """
    if name not in MEASURES:
        raise SimilarityError(f"There is no measure {name!r}. Measures: {', '.join(MEASURES)}.")
    return MEASURES[name]


def make_parameters(
    measure: str | Measure, settings: Mapping[str, Any] | None = None
) -> CanvasParameters:
    """Return a measure's parameters: the released defaults, changed by settings by name.

    Values may be text, as from a command line.

    Raises
    ------
    SimilarityError
        For a name the measure does not have, or a value out of range or of another type.
    """
    chosen = measure if isinstance(measure, Measure) else find_measure(measure)
    default = chosen.parameters()
    known = [f.name for f in fields(default)]
    changes = {}
    for name, value in (settings or {}).items():
        if name not in known:
            raise SimilarityError(
                f"{chosen.name} has no parameter {name!r}; it has {', '.join(known)}."
            )
        changes[name] = _converted(f"{chosen.name}.{name}", value, getattr(default, name))
    return replace(default, **changes)


def compare(
    measure: str | Measure,
    gazes: Sequence[Gaze],
    parameters: CanvasParameters | Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
    *,
    jobs: int = 0,
    by_dimension: bool = False,
    cache: FeatureCache | None = None,
) -> Similarity:
    """Compare all pairs of readings.

    Parameters
    ----------
    measure
        A name of `MEASURES`, or a measure that is not among them.
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
    by_dimension
        Give all dimensions of the measure, (N, N, D), instead of one number.
    cache
        Where features are kept and found again.

    Raises
    ------
    SimilarityError
        For an unknown measure or parameter.
    Cancelled
        Soon after `cancelled` returned True.
    """
    start, n = time.perf_counter(), len(gazes)
    chosen = measure if isinstance(measure, Measure) else find_measure(measure)
    if not isinstance(parameters, CanvasParameters):
        parameters = make_parameters(chosen, parameters)
    dimensions = chosen.dimensions if by_dimension else ("one",)
    require(bool(dimensions), "dimensions", "left out: only multimatch has several", chosen.name)

    def half(first: int) -> TaskRunner:
        def share_of_progress(done: int, total: int) -> None:
            progress(first + n * done // max(total, 1), 2 * n)

        return TaskRunner(jobs, share_of_progress, cancelled)

    table = feature_table(chosen, gazes, parameters, half(0), cache)
    places = np.arange(n)
    known = Known(places, places, np.full(n, -1))
    table, _ = of_cohort(chosen, table, parameters, known)
    pairs = dense(chosen, table, parameters, half(n), by_dimension=by_dimension)
    progress(2 * n, 2 * n)
    seconds = time.perf_counter() - start
    return Similarity(pairs.values, pairs.valid, chosen.name, by_name(chosen, parameters), seconds)


def _converted(name: str, value: Any, default: Any) -> Any:
    kind = type(default)
    try:
        if kind is bool:
            return _boolean(value)
        converted = kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SimilarityError(f"{name} must be {_KINDS[kind]}, not {value!r}.") from error
    if kind is int and not isinstance(value, str) and converted != value:
        raise SimilarityError(f"{name} must be a whole number, not {value!r}.")
    return converted


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _boolean(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]
