"""The settings last started from the form, by study, in the user's configuration folder.

They are not stored in the study: a folder from elsewhere must not fill in the form, since files
named there count as chosen by a person.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)
_KEPT = 20
"""Number of studies for which it is stored, the most recent ones."""


def last_form(study: Path) -> Mapping[str, Any] | None:
    """Return the form's contents when a training of this study was last started; None if never."""
    found = _all().get(_name(study))
    return found if isinstance(found, dict) else None


def keep_form(study: Path, said: Mapping[str, Any]) -> None:
    """Store the form's contents for the next time the study is opened."""
    name = _name(study)
    kept = {key: value for key, value in _all().items() if key != name}
    kept = dict([*kept.items(), (name, said)][-_KEPT:])
    file = _file()
    partial = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(kept), encoding="utf-8")
        partial.replace(file)
    except OSError:  # the training has started; failing to store the form is not worth a message
        log.warning("The settings last started could not be stored.", exc_info=True)


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
