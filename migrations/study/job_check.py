"""What a queued training may do: nothing that reaches outside the study without consent.

Options of a job are text in a file of the study, which somebody else may have written.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_URL = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:[\\/]", re.IGNORECASE)


def outside_files(study: Path, options: Sequence[str]) -> list[str]:
    """Return the files and folders outside a study that a training's options name.

    A relative name starts at the trainer's working folder, as for the trainer itself; a name that
    does not exist counts as no file.
    """
    return [value for value in _values(options) if _is_outside(study, value)]


def urls(options: Sequence[str]) -> list[str]:
    """Return the addresses of other computers that options name."""
    return [v for v in _values(options) if _URL.match(v) and not _DRIVE.match(v)]


def refusal(study: Path, options: Sequence[str], agreed: Sequence[str] = ()) -> str:
    """Return why a job with these options is not started, empty if it may be.

    Parameters
    ----------
    agreed
        Files outside the study that a person of this computer chose.
    """
    if found := urls(options):
        # Not quoted whole: an address may carry a password.
        return (
            f"Its options contain the address of another computer ({found[0].partition(':')[0]}:…)."
        )
    beyond = [value for value in outside_files(study, options) if value not in agreed]
    if beyond:
        return f"Its options name files outside the study: {', '.join(beyond)}."
    return ""


def _values(options: Sequence[str]) -> Iterator[str]:
    """Yield each word, and what follows its first ``=``: for ``--init=F`` and ``init=F``."""
    for word in options:
        yield word
        if "=" in word:
            yield word.partition("=")[2]


def _is_outside(study: Path, value: str) -> bool:
    if not value or "\0" in value or len(value) > 4096:
        return False
    try:
        path = Path(value).expanduser()
        is_named = path.is_absolute() or value.startswith("~") or ".." in re.split(r"[\\/]", value)
        is_named = is_named or bool(_DRIVE.match(value)) or value.startswith("\\\\")
        if not is_named and not path.exists():
            return False
        return not path.resolve().is_relative_to(study.resolve())
    except (OSError, RuntimeError, ValueError):
        return True  # what cannot be followed is not inside
