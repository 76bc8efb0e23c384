"""What a new study should be: where, with which settings, images and tracker; without Qt."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from app.ui.text import tr
from migrations.study.errors import UnsafeFolder
from migrations.study.folder import require_local
from migrations.study.settings import StudySettings

_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')


@dataclass(frozen=True, slots=True)
class NewStudy:
    """Everything entered in the steps.

    Attributes
    ----------
    folder
        Its future folder.
    images
        Files and folders to import once the study exists.
    device_id
        The tracker to read with; "": chosen later.
    """

    folder: Path
    settings: StudySettings
    images: tuple[Path, ...] = ()
    device_id: str = ""


def suggested_folder(name: str) -> Path:
    """Return the default folder of a study with this name."""
    plain = " ".join(_NOT_IN_NAMES.sub(" ", name).split()).strip(".")
    return Path.home() / "Foveate" / (plain or "study")


def folder_problem(text: str) -> str:
    """Return why no study can be made in a folder, in words; "" if it can."""
    if not text:
        return tr("Choose a folder for the study.")
    folder = Path(text).expanduser()
    if not folder.is_absolute():
        return tr("Enter the full path of the folder.")
    if (folder / "study.toml").exists():
        return tr("This folder already contains a study. Open it from the start page.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return tr("This folder is not empty. A study needs a folder of its own.")
    there = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    if not there.is_dir() or not os.access(there, os.W_OK):
        return tr("You do not have permission to write to {folder}.", folder=there)
    try:
        require_local(folder)
    except UnsafeFolder as error:
        return str(error)
    return ""
