"""The steps to a new study: which settings each asks. They are the settings page's own fields."""

from dataclasses import dataclass

from app.pages.settings.fields import SECTIONS
from app.ui.fields import Field
from app.ui.text import tr

_FIELDS = {field.name: field for section in SECTIONS.values() for field in section}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, title, what it is about, and the settings it asks."""

    name: str
    title: str
    hint: str
    fields: tuple[Field, ...]


def _step(name: str, title: str, hint: str, *fields: str) -> Step:
    return Step(name, title, hint, tuple(_FIELDS[each] for each in fields))


def steps() -> tuple[Step, ...]:
    """Return the steps in their order; the last one makes the study."""
    return (
        _step("name", tr("Name and folder"),
              tr("A study is a folder on this computer: settings, database and images lie in it."),
              "name"),
        _step("form", tr("Questions"),
              tr("One question with its answers is enough; a form can ask more, and arms say under "
                 "which conditions cases are read."),
              "question", "classes", "annotations"),
        _step("readers", tr("Readers"),
              tr("Who reads which cases, and what a reader agrees to and is asked."),
              "assignment", "planned_readers", "readers_per_case", "crossover",
              "reader_attributes", "consent"),
        _step("images", tr("Images"),
              tr("Imported, and de-identified, as soon as the study is made. More can be imported "
                 "on the worklist at any time."),
              "hanging", "case_sheet"),
        _step("tracker", tr("Tracker and limits"),
              tr("Beyond these limits a calibration or a case is marked; nobody is kept from "
                 "reading."),
              "eye", "calibration_points", "max_accuracy_deg", "max_loss", "drift_every_cases",
              "max_drift_deg", "loss_alarm", "absence_s", "trial"),
        _step("blinding", tr("Blinding and order"),
              tr("What readers do not see: labels unless feedback is on, the arm, and what others "
                 "answered. Names of patients never come into a study."),
              "feedback", "order", "block_size", "repeat_share", "washout_days", "edge_words",
              "incidental_contact"),
        _step("backups", tr("Backups"),
              tr("The database is copied when a session ends; another disk is the better place."),
              "backup_folder"),
    )  # fmt: skip
