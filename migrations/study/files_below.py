"""The files in a folder and in those below it, where none may be passed over in silence."""

import os
from pathlib import Path
from typing import NoReturn


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below it, sorted by path; linked folders are not followed.

    Raises
    ------
    OSError
        If a folder cannot be read; `Path.rglob` would pass it over without a word.
    """
    walked = os.walk(folder, onerror=_raise)
    return sorted(Path(root) / name for root, _, names in walked for name in names)


def _raise(error: OSError) -> NoReturn:
    raise error
