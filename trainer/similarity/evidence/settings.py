"""Which settings `auto` takes: those that mean the same for every measure."""

from collections.abc import Mapping
from typing import Any

from trainer.errors import SimilarityError
from trainer.similarity.items import ItemSettings, settings_of
from trainer.similarity.names import AUTO
from trainer.similarity.registry import MEASURES, make_parameters

SHARED = ("canvas", "proportions", "off_canvas", "combine", "reader")


def check_settings(measure: str, settings: Mapping[str, Any]) -> None:
    """Refuse what a measure, or `auto`, has nothing to do with.

    Raises
    ------
    SimilarityError
        For a measure or setting that is not there, or a value out of range.
    """
    if measure != AUTO:
        settings_of(measure, settings)
        return
    for name in settings:
        if name not in SHARED:
            raise SimilarityError(
                f"{AUTO} chooses the measure itself, so that {name!r} has nothing to set; it takes "
                f"{', '.join(SHARED)}. Name a measure with --measure to set what is its own."
            )
    make_parameters(next(iter(MEASURES)), ItemSettings.split(settings)[1])
