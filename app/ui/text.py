"""The texts of a window, translated by Qt."""

from PySide6.QtCore import QCoreApplication

from app.remarks import Sentence
from migrations.study.processes import as_typed

_CONTEXT = "Foveate"


def tr(text: str, **arguments: object) -> str:
    """Return a whole sentence in the language of the window.

    Parameters
    ----------
    text
        The English sentence, with {names} for its arguments; no f-string, or no translation
        would be found for it.
    """
    said = as_typed(QCoreApplication.translate(_CONTEXT, text))
    return said.format(**arguments) if arguments else said


def told(sentence: Sentence) -> str:
    """Return a sentence of another room in the language of the window."""
    return tr(sentence.text, **sentence.arguments)


def trn(one: str, many: str, count: int, **arguments: object) -> str:
    """Return the sentence for one thing, or that for any other {count}."""
    return tr(one if count == 1 else many, count=f"{count:,}", **arguments)
