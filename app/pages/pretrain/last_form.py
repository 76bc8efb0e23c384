"""What was last started from the form, by study, kept in the user's configuration folder.

Not in the study: a folder that comes from elsewhere shall not fill in the form, since files that
are named there count as chosen by a person.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)
_KEPT = 20
"""Studies of which it is kept, those started last."""


def last_form(study: Path) -> Mapping[str, Any] | None:
    """Return what the form said when a training of this study was last started; None if never."""
    found = _all().get(_name(study))
    return found if isinstance(found, dict) else None


def keep_form(study: Path, said: Mapping[str, Any]) -> None:
    """Keep what the form says for the next time the study is opened."""
    name = _name(study)
    kept = {key: value for key, value in _all().items() if key != name}
    kept = dict([*kept.items(), (name, said)][-_KEPT:])
    file = _file()
    partial = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(kept), encoding="utf-8")
        partial.replace(file)
    except OSError:  # the training has started; a form to fill in again is not worth a message
        log.warning("The settings last started could not be kept.", exc_info=True)


def _all() -> dict[str, Any]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        log.warning("The settings last started cannot be read.", exc_info=True)
        return {}
    return found if isinstance(found, dict) else {}


def _name(study: Path) -> str:
    return study.resolve().as_posix()


def _file() -> Path:
    return config_folder() / "pretrain.json"
