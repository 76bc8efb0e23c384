"""Which question is meant, and which confidence goes with its answer."""

from collections.abc import Mapping, Sequence

from migrations.study.answers import Answered
from trainer.errors import PerformanceError

_SAYS_NOTHING = ("confidence", "text")
"""Kinds of questions that call no case positive unless they are asked for."""


def confidence_key(
    answers: Mapping[str, Sequence[Answered]], key: str, asked: str | None
) -> str | None:
    """Return the key of the confidence that makes a choice a rating; None where there is none.

    Parameters
    ----------
    answers
        Of each part of a reading.
    key
        Of the question that calls a case positive.
    asked
        Key that was asked for; None: the only one there is.

    Raises
    ------
    PerformanceError
        There are several and none was asked for, or the one that was is no confidence here.
    """
    said = [a for given in answers.values() for a in given if a.scope == "case"]
    if any(a.key == key and a.kind not in ("single", "multiple", "answer") for a in said):
        return None  # its value is the rating already
    known = sorted({a.key for a in said if a.kind == "confidence" and a.key != key})
    named = ", ".join(f'"{name}"' for name in known)
    if asked is not None and asked not in known:
        raise PerformanceError(
            f'No confidence with the key "{asked}" was answered. Keys answered: {named or "none"}.'
        )
    if asked is None and len(known) > 1:
        raise PerformanceError(
            f'Several confidences were asked for "{key}" ({named}). Name the one that belongs to '
            "it with --confidence KEY."
        )
    return asked or next(iter(known), None)


def leading_key(answers: Mapping[str, Sequence[Answered]], form: Sequence[str]) -> str:
    """Return the key of the first question of the case whose answer calls it positive or not.

    Parameters
    ----------
    answers
        Of each part of a reading.
    form
        Keys of the study's questions in their order; one no longer asked comes after them.

    Raises
    ------
    PerformanceError
        Nothing was answered, or nothing but confidences and free texts.
    """
    kinds = {a.key: a.kind for given in answers.values() for a in given if a.scope == "case"}
    if not kinds:
        raise PerformanceError("No reading of this study has an answer.")
    found = [key for key, kind in kinds.items() if kind not in _SAYS_NOTHING]
    if not found:
        named = ", ".join(f'"{key}"' for key in kinds)
        raise PerformanceError(
            f"Only confidences and free texts were answered ({named}). Name the one that calls a "
            "case positive with --question KEY."
        )
    return min(found, key=lambda key: form.index(key) if key in form else len(form))
