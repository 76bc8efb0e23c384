"""The contents of `study.toml`: one frozen dataclass, read and written without another library."""

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from migrations.study.arms import Arm, check_arms, toml_of_arms
from migrations.study.case_sheets import SHEET
from migrations.study.database import foveate_version
from migrations.study.design_tables import DESIGNED, take_design
from migrations.study.errors import SettingsError
from migrations.study.forms import Question, check_form, toml_of
from migrations.study.reader_attributes import ATTRIBUTES
from migrations.study.toml_tables import toml_of_value

SINGLE = "single"
"""Value of `StudySettings.hanging`: only the csv of labels joins images."""


@dataclass(frozen=True, slots=True)
class StudySettings:
    """Settings of a study; each has a default that suits a first study.

    Attributes
    ----------
    name, question
        The study's name, and its question to readers.
    classes
        The answers a reader can give, by the digit keys in this order.
    form
        All questions of a form; the first of them is `question` with `classes`.
    arms
        The conditions under which cases are read; empty: only one way.
    assignment
        Who reads which cases: "all" (every reader every case), "blocks" (each case by
        `readers_per_case` of `planned_readers`) or "csv" (what `db assign` read).
    crossover
        Whether each case is read in every arm, with a washout in between, or in one.
    order
        "fixed", "random" (seeded per reader) or "blocked" (blocks of `block_size` cases in the
        study's order, the blocks and the cases within each drawn per reader).
    annotations
        What a reader can record besides the class: "box", "keypoint", "note", "confidence".
    case_sheet, reader_attributes
        The parts of `SHEET` that readers see beside the images; the `ATTRIBUTES` they are asked
        for.
    edge_words
        Whether side, view, orientation letters, window and zoom are shown above and below each
        image.
    hanging
        How the images of one patient that are imported together hang: `SINGLE` (each a case of
        its own), "auto" (by view and laterality), "one-up", "two-up", "mammo" or "prior".
    repeat_share
        Share of the cases that the same reader reads once more, 0 to 1.
    reread_bad
        Whether a case with bad gaze is offered again.
    washout_days
        Time before the same reader reads a case again.
    break_after_cases, break_s
        A break after this many cases (0: none), and its minimum duration.
    time_limit_s
        Time after which the images of a case are hidden and the answer is asked for; 0: none.
    feedback
        "off", "practice" or "on": whether the reader is shown the label after answering.
    incidental_contact
        Who is told about incidental findings.
    eye
        "both", "left", "right" or "better": which eye the point of gaze is taken from.
    max_accuracy_deg, max_loss
        Limits of a calibration; if they are not met, the session is marked.
    drift_every_cases, max_drift_deg
        A fixation mark after this many cases (0: never), and the drift beyond which recalibration
        is offered.
    absence_s
        Time without eyes in a case after which the images are hidden and the reader's code is asked
        for.
    lost_sign_s
        Time without gaze after which the reader sees a quiet notice.
    loss_alarm
        Share of lost samples in one case after which it is marked.
    fixation_algorithm
        "velocity" or "dispersion".
    calibration_points
        5, 9 or 13.
    head_restraint, latency_ms, latency_source
        How heads were held; the time from the eye to the sample, 0: not known, and its source.
    trial
        Whether this is a trial, in which gaze of the simulated reader and the mouse counts.
    stack_frames
        For a stack, a cohort includes the frame that was looked at longest and this many on either
        side.
    backup_folder
        Where the database is copied after a session; empty: the study's own `backups`.
    lsl_network
        Whether trackers' LSL streams may come from other computers.
    archive_network
        Whether images may come from an archive (DICOMweb, C-STORE) on another computer.
    consent
        Text that a reader agrees to before the first session.
    """

    name: str = "Study"
    question: str = "Is there a finding?"
    classes: tuple[str, ...] = ("no finding", "finding")
    form: tuple[Question, ...] = ()
    arms: tuple[Arm, ...] = ()
    assignment: str = "all"
    crossover: bool = True
    planned_readers: int = 4
    readers_per_case: int = 2
    order: str = "random"
    block_size: int = 20
    annotations: tuple[str, ...] = ("note",)
    case_sheet: tuple[str, ...] = ()
    reader_attributes: tuple[str, ...] = ()
    edge_words: bool = True
    hanging: str = SINGLE
    repeat_share: float = 0.0
    reread_bad: bool = True
    washout_days: int = 28
    break_after_cases: int = 0
    break_s: float = 0.0
    time_limit_s: float = 0.0
    feedback: str = "off"
    incidental_contact: str = ""
    eye: str = "both"
    max_accuracy_deg: float = 1.0
    max_loss: float = 0.10
    drift_every_cases: int = 10
    max_drift_deg: float = 1.0
    absence_s: float = 20.0
    lost_sign_s: float = 1.5
    loss_alarm: float = 0.15
    fixation_algorithm: str = "velocity"
    calibration_points: int = 5
    head_restraint: str = ""
    latency_ms: float = 0.0
    latency_source: str = ""
    stack_frames: int = 2
    trial: bool = False
    backup_folder: str = ""
    lsl_network: bool = False
    archive_network: bool = False
    consent: str = (
        "My gaze is recorded while I read these images, for research. "
        "I take part of my own will and can stop at any time."
    )
    foveate_version: str = ""

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions, the leading one first; a study without a form has one."""
        leading = self.form[0] if self.form else Question(LEADING_KEY, self.question)
        return (replace(leading, text=self.question, options=self.classes), *self.form[1:])


LEADING_KEY = "answer"
"""Fields of the only question of a study without a form."""
_CHOICES = {
    "assignment": ("all", "blocks", "csv"),
    "hanging": (SINGLE, "auto", "one-up", "two-up", "mammo", "prior"),
    "order": ("fixed", "random", "blocked"),
    "feedback": ("off", "practice", "on"),
    "eye": ("both", "left", "right", "better"),
    "fixation_algorithm": ("velocity", "dispersion"),
    "calibration_points": (5, 9, 13),
}
ANNOTATIONS = ("box", "keypoint", "note", "confidence")
RANGES: dict[str, tuple[float, float]] = {
    "planned_readers": (1, 1000),
    "readers_per_case": (1, 1000),
    "block_size": (1, 10_000),
    "stack_frames": (0, 1_000),
    "repeat_share": (0, 1),
    "washout_days": (0, 3650),
    "break_after_cases": (0, 10_000),
    "break_s": (0, 36_000),
    "time_limit_s": (0, 36_000),
    "max_accuracy_deg": (0.1, 10),
    "max_loss": (0, 1),
    "drift_every_cases": (0, 10_000),
    "max_drift_deg": (0.1, 10),
    "absence_s": (0, 3600),
    "lost_sign_s": (0, 600),
    "loss_alarm": (0, 1),
    "latency_ms": (0, 10_000),
}
"""Every number that is not a choice, with its smallest and largest value."""
MOST_CLASSES = 10
"""The number of digit keys."""
_MANY = {"annotations": ANNOTATIONS, "case_sheet": (*SHEET,), "reader_attributes": (*ATTRIBUTES,)}
_LONGEST = {"consent": 20_000}
_USUALLY_LONGEST = 1000


def read_settings(path: Path) -> StudySettings:
    """Return the settings in a `study.toml`.

    Raises
    ------
    SettingsError
        Naming the file, the field and the allowed values.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    try:
        designed = take_design(table)
        known = [f.name for f in fields(StudySettings) if f.name not in DESIGNED]
        for key, value in table.items():
            if key not in known:
                raise SettingsError(f"unknown setting {key!r}; known are {', '.join(known)}.")
            table[key] = _checked(key, value)
        settings = StudySettings(**table, **designed)
        check_design(settings)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    return settings


def check_design(settings: StudySettings) -> None:
    """Refuse a form, arms or an assignment that cannot be carried out.

    Raises
    ------
    SettingsError
        Naming the question, arm or setting.
    """
    check_arms(settings.arms)
    if settings.assignment == "blocks" and settings.readers_per_case > settings.planned_readers:
        raise SettingsError(
            f"readers_per_case is {settings.readers_per_case}, more than the "
            f"{settings.planned_readers} planned_readers."
        )
    if settings.form:
        check_form(settings.questions, bool({"box", "keypoint"} & set(settings.annotations)))


def write_settings(path: Path, settings: StudySettings) -> None:
    """Write the settings as TOML."""
    lines = ["# Settings of a Foveate study; docs/study-settings.md explains each.\n"]
    left_out = {*DESIGNED, *(("question", "classes") if settings.form else ())}
    for f in fields(StudySettings):
        if f.name in left_out:
            continue
        value = getattr(settings, f.name)
        if f.name == "foveate_version":
            value = foveate_version()
        lines.append(f"{f.name} = {toml_of_value(value)}\n")
    form = settings.questions if settings.form else ()
    lines += [f"{line}\n" for line in (*toml_of(form), *toml_of_arms(settings.arms))]
    path.write_text("".join(lines), encoding="utf-8")


def _checked(key: str, value: Any) -> Any:
    default = getattr(StudySettings(), key)
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        raise SettingsError(f"{key} must be {type(default).__name__}, not {value!r}.")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise SettingsError(f"{key} must be one of {_CHOICES[key]}, not {value!r}.")
    low, high = RANGES.get(key, (0, 0))
    if key in RANGES and not low <= value <= high:  # NaN is between nothing
        raise SettingsError(f"{key} must be from {low:g} to {high:g}, not {value!r}.")
    problem = _problem_of_words(key, value)
    if problem:
        raise SettingsError(f"{key} {problem}.")
    return value


def _problem_of_words(key: str, value: Any) -> str:
    """Return what is wrong with a text or a list of texts; "" for nothing."""
    words = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
    other = next((w for w in words if not isinstance(w, str)), None)
    if other is not None:
        return f"must contain only texts in quotation marks, not {other!r}"
    longest = _LONGEST.get(key, _USUALLY_LONGEST)
    if any(len(w) > longest for w in words):
        return f"must have at most {longest:,} characters"
    if any(not c.isprintable() and c not in "\n\t" for w in words for c in w):
        return "must not contain control characters"
    if key in _MANY and (unknown := [v for v in value if v not in _MANY[key]]):
        return f"can be {_MANY[key]}, not {unknown[0]!r}"
    return _problem_of_classes(value) if key == "classes" else ""


def _problem_of_classes(classes: tuple[str, ...]) -> str:
    if not 1 <= len(classes) <= MOST_CLASSES:
        return f"must be 1 to {MOST_CLASSES} answers, one per digit key, not {len(classes)}"
    if any(not name.strip() for name in classes):
        return "must not contain an empty answer"
    if len(set(classes)) < len(classes):
        return "must not contain an answer twice"
    return ""
