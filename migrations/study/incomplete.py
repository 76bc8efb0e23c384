"""The mark of a folder whose results are not all written: some may be from an earlier run."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

MARK = "foveate-incomplete.txt"
"""Not the mark of an export, which empties a folder in which it finds its own mark."""
_TEXT = (
    "The files in this folder are being written, or writing was interrupted: some may be "
    "missing or from an earlier run. Run the command again.\n"
)


@contextlib.contextmanager
def marked_incomplete(folder: Path) -> Iterator[None]:
    """Make a folder and mark it while the block writes into it; the mark stays if it does not end.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / MARK
    mark.write_text(_TEXT, encoding="utf-8")
    yield
    mark.unlink(missing_ok=True)


def stopped_text(folder: Path | None, whole: str = "Stopped.") -> str:
    """Return the message of a command that was stopped, depending on what it left in its folder.

    Parameters
    ----------
    whole
        The message if it left nothing partial.
    """
    if folder is not None and (folder / MARK).is_file():
        return f"Stopped. {folder} is not complete; run the command again to complete it."
    return whole
