"""The steps to a new study: which settings each asks for; they are the settings page's fields."""

from dataclasses import dataclass

from app.pages.settings.fields import SECTIONS
from app.ui.fields import Field
from app.ui.text import tr

_FIELDS = {field.name: field for section in SECTIONS.values() for field in section}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, title, subject, and the settings it asks for."""

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
              tr("A study is a folder on this computer. It contains the settings, the database and "
                 "the images."),
              "name"),
        _step("form", tr("Questions"),
              tr("One question with its answers is enough. A form can ask more questions, and arms "
                 "define the conditions under which cases are read."),
              "question", "classes", "annotations"),
        _step("readers", tr("Readers"),
              tr("Who reads which cases, what readers consent to, and what they are asked about "
                 "themselves."),
              "assignment", "planned_readers", "readers_per_case", "crossover",
              "reader_attributes", "consent"),
        _step("images", tr("Images"),
              tr("Images are de-identified and imported as soon as the study is created. You can "
                 "import more at any time on the Worklist page."),
              "hanging", "case_sheet"),
        _step("tracker", tr("Tracker and limits"),
              tr("A calibration or a case beyond these limits is flagged, but nobody is prevented "
                 "from reading."),
              "eye", "calibration_points", "max_accuracy_deg", "max_loss", "drift_every_cases",
              "max_drift_deg", "loss_alarm", "absence_s", "trial"),
        _step("blinding", tr("Blinding and order"),
              tr("Readers do not see the arm, the answers of other readers or, unless feedback is "
                 "on, the labels. Patient names never enter a study."),
              "feedback", "order", "block_size", "repeat_share", "washout_days", "edge_words",
              "incidental_contact"),
        _step("backups", tr("Backups"),
              tr("The database is copied whenever a session ends. Choose a folder on another disk "
                 "if you can."),
              "backup_folder"),
    )  # fmt: skip
