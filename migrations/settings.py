"""What `study.toml` says: one frozen dataclass, read and written without a third library."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from migrations.database import foveate_version
from migrations.errors import SettingsError


@dataclass(frozen=True, slots=True)
class StudySettings:
    """Settings of a study; each has a default that suits a first study.

    Attributes
    ----------
    name, question
        What the study is called and what it asks.
    classes
        The answers a reader can give, by the digit keys in this order.
    order
        "fixed" or "random" (seeded per reader).
    eye
        "both", "left", "right" or "better": which eye the point of gaze is taken from.
    max_accuracy_deg, max_loss
        Limits of a calibration; not met, the session is marked.
    lost_sign_s
        Loss of tracking after which the reader sees the quiet sign.
    loss_alarm
        Share of lost samples in one case after which it is marked.
    fixation_algorithm
        "velocity" or "dispersion".
    calibration_points
        5, 9 or 13.
    backup_folder
        Where the database is copied when a session ends; empty: the study's own `backups`.
    consent
        Text a reader agrees to before the first session.
    """

    name: str = "Study"
    question: str = "Is there a finding?"
    classes: tuple[str, ...] = ("no finding", "finding")
    order: str = "random"
    eye: str = "both"
    max_accuracy_deg: float = 1.0
    max_loss: float = 0.10
    lost_sign_s: float = 1.5
    loss_alarm: float = 0.15
    fixation_algorithm: str = "velocity"
    calibration_points: int = 5
    backup_folder: str = ""
    consent: str = (
        "My gaze is recorded while I read these images, for research. "
        "I take part of my own will and can stop at any time."
    )
    foveate_version: str = ""


_CHOICES = {
    "order": ("fixed", "random"),
    "eye": ("both", "left", "right", "better"),
    "fixation_algorithm": ("velocity", "dispersion"),
    "calibration_points": (5, 9, 13),
}


def read_settings(path: Path) -> StudySettings:
    """Return the settings of a `study.toml`.

    Raises
    ------
    SettingsError
        Naming the file, the field and what may stand there.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    known = {f.name: f.type for f in fields(StudySettings)}
    for key, value in table.items():
        if key not in known:
            raise SettingsError(f"{path}: unknown setting {key!r}; known are {', '.join(known)}.")
        table[key] = _checked(path, key, value)
    return StudySettings(**table)


def write_settings(path: Path, settings: StudySettings) -> None:
    """Write the settings as TOML."""
    lines = ["# Settings of a Foveate study; docs/study-settings.md explains each.\n"]
    for f in fields(StudySettings):
        value = getattr(settings, f.name)
        if f.name == "foveate_version":
            value = foveate_version()
        lines.append(f"{f.name} = {_toml(value)}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _checked(path: Path, key: str, value: Any) -> Any:
    default = getattr(StudySettings(), key)
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        raise SettingsError(f"{path}: {key} must be {type(default).__name__}, not {value!r}.")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise SettingsError(f"{path}: {key} must be one of {_CHOICES[key]}, not {value!r}.")
    return value


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)
