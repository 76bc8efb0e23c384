"""The studies opened last on this computer, kept in the user's configuration folder."""

import json
import logging
from pathlib import Path

from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)
_KEPT = 6


def recent_studies() -> list[Path]:
    """Return the recently opened study folders that still exist, newest first."""
    try:
        names = json.loads(_file().read_text(encoding="utf-8"))
        paths = [Path(name) for name in names]
    except (OSError, ValueError, TypeError):
        return []
    return [path for path in paths if (path / "study.toml").is_file()]


def remember(folder: Path) -> None:
    """Put a study first in the list."""
    folder = folder.resolve()
    paths = [folder, *(p for p in recent_studies() if p != folder)][:_KEPT]
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        _file().write_text(json.dumps([str(p) for p in paths]), encoding="utf-8")
    except OSError:  # failing to store a convenience list is not worth a message
        log.warning("The list of recent studies could not be written.", exc_info=True)


def _file() -> Path:
    return config_folder() / "recent.json"
