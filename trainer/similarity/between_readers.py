"""Readings of one case against readings of different cases, out of one comparison."""

from dataclasses import replace

from trainer.errors import NothingToLearnError
from trainer.similarity.comparison import Comparison, ComparisonControl, prepare
from trainer.similarity.evidence.halves import by_halves, learns
from trainer.similarity.findings import CaseSplit, case_split
from trainer.similarity.sources import readings_alone

LARGEST = 5000
"""Readings beyond which the split is left out: it needs all pairs of readings in memory."""


def split_of(comparison: Comparison) -> CaseSplit | None:
    """Return the split of the readings that were compared.

    A case is an image read by several readers; of files, those of one `case`, else one image.

    Returns
    -------
    CaseSplit or None
        None where no case was read twice, there are more than `LARGEST` readings, or too few for
        a measure that learns to be asked about images that it did not see.
    """
    gaze = comparison.gaze
    named = gaze.cases or gaze.ids
    cases = [named[owner] or gaze.ids[owner] for owner in gaze.owners]
    if len(set(cases)) == len(cases) or len(cases) > LARGEST:
        return None
    alone = readings_alone(gaze)
    quiet = ComparisonControl(
        comparison.control.jobs,
        cancelled=comparison.control.cancelled,
        cache=comparison.control.cache,
        fitted=comparison.fitted,
    )
    settings = {name: value for name, value in comparison.settings.items() if name != "combine"}
    measure = comparison.measure.name
    if not learns(measure):
        return case_split(prepare(measure, alone, settings, quiet).matrix(), cases, gaze.readers)
    try:  # of images that it learnt of, any measure tells the case
        halves = by_halves(measure, alone, settings, replace(quiet, fitted=None))
    except NothingToLearnError:
        return None
    return case_split(halves, cases, gaze.readers)
