"""Readings of one case against readings of different cases, out of one comparison."""

from trainer.similarity.comparison import Comparison, ComparisonControl, prepare
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
        None where no case was read twice, or there are more than `LARGEST` readings.
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
    readings = prepare(comparison.measure.name, alone, settings, quiet).matrix()
    return case_split(readings, cases, gaze.readers)
