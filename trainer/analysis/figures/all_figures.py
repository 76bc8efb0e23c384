"""The figures of an analysis, each where there is something to draw."""

from collections.abc import Mapping, Sequence

from trainer.analysis.areas import Area
from trainer.analysis.figures.coverage import coverage_figure
from trainer.analysis.figures.dwell import dwell_figure
from trainer.analysis.figures.figure import Figure
from trainer.analysis.figures.first_fixation import first_fixation_figure
from trainer.analysis.figures.limits import accuracy_limits
from trainer.analysis.figures.misses import miss_figure
from trainer.analysis.figures.scarf import scarves
from trainer.analysis.figures.transitions import transition_figure
from trainer.analysis.looked import Looked
from trainer.analysis.tables import Settings, Tables


def figures_of(
    looks: Sequence[Looked], areas: Mapping[str, Sequence[Area]], tables: Tables, settings: Settings
) -> list[Figure]:
    """Return every figure that the tables and the gaze allow; limits stand with those of areas."""
    of_areas = [
        miss_figure(tables.misses, settings.thresholds, settings.seed),
        dwell_figure(tables.areas),
        first_fixation_figure(tables.areas),
        transition_figure(tables.transitions, tables.areas),
        *scarves(looks, areas, settings),
    ]
    limits = accuracy_limits(looks, areas)
    covered = coverage_figure(looks, settings.useful_field_deg)
    figures = [figure.with_notes(limits) for figure in of_areas if figure is not None]
    return [*figures, covered] if covered is not None else figures
