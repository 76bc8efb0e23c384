"""What the window calls a stored gaze similarity and a measure."""

from app.ui.text import tr, trn
from app.workspace.measures import measure_words
from app.workspace.similarity import SimilarityChoice


def title_of(choice: SimilarityChoice) -> str:
    """Return the description that identifies a stored similarity."""
    return trn(
        "{measure}, {count} image, {created}",
        "{measure}, {count} images, {created}",
        choice.images,
        measure=tr(measure_words(choice.measure)),
        created=choice.created,
    )


def judged_words(cell: str) -> str:
    """Return what the evidence calls a measure, in words."""
    name, is_recommended, _ = cell.partition(" (recommended)")
    words = tr(measure_words(name))
    return tr("{measure} (recommended)", measure=words) if is_recommended else words
