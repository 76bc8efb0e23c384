"""The second pass of measures that look at the whole cohort: its mean map, and the like.

What is fitted comes from readings that are trained on alone; it is kept beside the matrix, so that
other readings, or other parts, are compared in the same way.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from trainer.errors import SimilarityError
from trainer.similarity.base import CanvasParameters, FeatureTable, Fitted, Known, Measure
from trainer.similarity.output import whole

COHORT_SUFFIX = ".cohort.npz"


def of_cohort(
    measure: Measure,
    table: FeatureTable,
    parameters: CanvasParameters,
    known: Known,
    held_out: Sequence[bool] = (),
    given: Fitted | None = None,
) -> tuple[FeatureTable, Fitted | None]:
    """Return the features after the second pass, and what was fitted; as they are without one.

    Parameters
    ----------
    measure, table, parameters
        Features (R readings) of the first pass, and of what.
    known
        Of the readings, beside their gaze.
    held_out
        Which readings must not be fitted on; empty: none.
    given
        What was fitted before, taken instead.

    Raises
    ------
    SimilarityError
        If what was fitted before does not fit, or the readings teach the measure nothing.
    """
    if measure.cohort is None:
        return table, None
    fitted = given
    if fitted is None:
        trained, taught = table, known
        if any(held_out):
            kept = np.flatnonzero(~np.array(held_out, bool))
            trained, taught = table.take(kept), known.take(kept)
        fitted = measure.cohort.fit(trained, taught, parameters)
    try:
        return measure.cohort.apply(table, fitted, parameters), fitted
    except (KeyError, ValueError) as error:
        raise SimilarityError(
            f"The stored fit does not belong to {measure.name} with these parameters: {error}."
        ) from error


def write_fitted(path: Path, measure: str, fitted: Fitted) -> None:
    """Write what was fitted.

    Raises
    ------
    SimilarityError
        If the file cannot be written.
    """
    with whole(path) as file:
        arrays: dict[str, Any] = {"measure": np.array(measure), **fitted}
        np.savez(file, **arrays)


def beside(path: Path) -> Path:
    """Return where what was fitted lies beside a matrix or graph."""
    return path.with_suffix(COHORT_SUFFIX)


def read_fitted(path: Path, measure: str) -> Fitted:
    """Return what `write_fitted` wrote.

    Raises
    ------
    SimilarityError
        If it cannot be read or is of another measure.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        of = str(found.pop("measure"))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise SimilarityError(f"{path} is not a readable cohort file: {error}.") from error
    if of != measure:
        raise SimilarityError(f"{path} was fitted for {of}, not for {measure}.")
    return found
