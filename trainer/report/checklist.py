"""The reporting guideline for eye tracking as a checklist, filled from the study.

M. J. Dunn and others, "Minimal reporting guideline for research involving eye tracking (2023
edition)", Behavior Research Methods 56 (2024), doi 10.3758/s13428-023-02187-1. (The review it was
founded on, Holmqvist and others 2023, was retracted on 16 November 2023.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.cohort_rules import badge_of
from migrations.study.plurals import counted
from migrations.study.schema import Calibration, Fixation, Reading, Session
from migrations.study.settings import StudySettings

NOT_RECORDED = "not recorded"
_TECHNOLOGY = {
    "tobii": "video-based, gaze coordinates on the screen",
    "gazepoint": "video-based, gaze coordinates on the screen",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the guideline, and what the study says of it."""

    number: str
    title: str
    said: str

    @property
    def is_filled(self) -> bool:
        """Whether the study says anything of it."""
        return self.said != NOT_RECORDED


def checklist_of(rows: OrmSession, settings: StudySettings) -> list[Item]:
    """Return every item of the guideline; those that the study does not tell are "not recorded".

    Parameters
    ----------
    settings
        Of the study: how heads were held and the latency are known from nothing else.
    """
    sittings = rows.scalars(select(Session).order_by(Session.id)).all()
    checks = rows.scalars(select(Calibration).order_by(Calibration.id)).all()
    filters = rows.execute(select(Fixation.algorithm, Fixation.parameters_hash).distinct())
    validations = [c for c in checks if c.kind == "validation"]
    readings = rows.scalars(select(Reading.loss).where(Reading.state == "finished")).all()
    told = (
        ("A1", "Manufacturer and model", _each(map(_model, sittings))),
        ("A2", "Software and firmware versions", _each(map(_software, sittings))),
        ("A3", "Eye tracking technology",
         _each(_TECHNOLOGY.get(s.tracker_kind, "") for s in sittings)),
        ("A4", "Sampling frequency",
         _each(f"{s.tracker_rate_hz:g} Hz (nominal)" if s.tracker_rate_hz else ""
               for s in sittings)),
        ("A5", "Head movement restrictions", settings.head_restraint.strip()),
        ("A6", "Eye(s) recorded", _each(f"{s.eye}" for s in sittings)),
        ("A7", "Parameters recorded",
         "gaze of each eye on the screen, with validity, pupil size and "
         "distance if the tracker reports them" if sittings else ""),
        ("A8", "Environment lighting", _each(map(_light, sittings))),
        ("A9", "Calibration", _calibration(checks)),
        ("A10", "Measurement uncertainty", _uncertainty(validations)),
        ("A11", "Data processing steps",
         _each(f"fixations: {name} (parameters {text})" for name, text in filters)),
        ("A12", "Data loss", "; ".join(filter(None, (
            _loss(readings, "the samples of a reading", "reading"),
            _loss([c.loss for c in validations], "the samples of a validation", "validation"),
        )))),
        ("B1", "Signal latencies", _latency(settings)),
        ("C1", "Participant to display monitor distance", _each(map(_distance, sittings))),
    )  # fmt: skip
    return [Item(number, title, said or NOT_RECORDED) for number, title, said in told]


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _model(sitting: Session) -> str:
    badge = badge_of(sitting.tracker_kind)
    name = sitting.tracker_model.strip()
    return f"{name or sitting.tracker_kind}, {badge}" if badge else name


def _software(sitting: Session) -> str:
    return f"Foveate {sitting.software_version}" if sitting.software_version else ""


def _light(sitting: Session) -> str:
    lux = sitting.details.get("station_setup", {}).get("room_light_lux")
    return f"{lux:g} lux at the reading place" if lux else ""


def _distance(sitting: Session) -> str:
    source = f" ({sitting.distance_source})" if sitting.distance_source else ""
    return f"{sitting.distance_mm:g} mm{source}" if sitting.distance_mm else ""


def _latency(settings: StudySettings) -> str:
    if not settings.latency_ms:
        return ""
    source = settings.latency_source.strip() or "source not recorded"
    return f"{settings.latency_ms:g} ms from eye movement to sample ({source})"


def _calibration(checks: Sequence[Calibration]) -> str:
    made = [c for c in checks if c.kind == "calibration"]
    if not made:
        return ""
    points = sorted({len(c.points) for c in made if c.points})
    of = f" of {_listed(points)} points" if points else ""
    checked = sum(c.kind == "validation" for c in checks)
    return f"{counted(len(made), 'calibration')}{of}; checked by {counted(checked, 'validation')}"


def _listed(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers))


def _uncertainty(validations: Sequence[Calibration]) -> str:
    accuracy = [c.accuracy_deg for c in validations if c.accuracy_deg is not None]
    precision = [c.precision_rms_deg for c in validations if c.precision_rms_deg is not None]
    said = []
    if accuracy:
        of = "median of " if len(accuracy) > 1 else ""
        said.append(f"accuracy, {of}{counted(len(accuracy), 'validation')} {_spread(accuracy)}")
    if precision:
        said.append(f"precision (RMS, sample to sample) {_spread(precision)}")
    return "; ".join(said)


def _spread(values: Sequence[float]) -> str:
    several = f" ({min(values):.2f} to {max(values):.2f}°)" if len(values) > 1 else ""
    return f"{median(values):.2f}°{several}"


def _loss(known: Sequence[float | None], of: str, what: str) -> str:
    lost = [loss for loss in known if loss is not None]
    if not lost:
        return ""
    if len(lost) == 1:
        return f"{lost[0]:.1%} of {of} (1 {what})"
    return (
        f"{median(lost):.1%} of {of} (median of {counted(len(lost), what)}, up to {max(lost):.1%})"
    )
