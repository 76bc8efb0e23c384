"""What a study's settings are called on their page, in which order, and between which limits."""

from dataclasses import replace

from app.ui.fields import Field
from migrations.study.case_sheets import SHEET
from migrations.study.reader_attributes import ATTRIBUTES
from migrations.study.settings import ANNOTATIONS, StudySettings

_DEFAULTS = StudySettings()
_SECTIONS: dict[str, tuple[Field, ...]] = {
    "The study": (
        Field("name", "Name", "text"),
        Field("question", "Question to the reader", "text"),
        Field("classes", "Answers", "list", "One a line, by the digit keys in this order"),
        Field(
            "annotations", "Beside the answer", "many",
            choices=tuple(zip(ANNOTATIONS, ("Boxes", "Keypoints", "Note", "Confidence"),
                              strict=True)),
        ),
        Field("case_sheet", "Shown of the case sheet", "many",
              "From a csv that is read in on the page Progress; an arm with no_sheet hides it",
              choices=tuple(zip(SHEET, ("Age group", "Sex", "Clinical question", "Priors"),
                                strict=True))),
        Field("edge_words", "Words above and below an image", "bool",
              "Side and view, orientation letters, window, zoom, frame"),
        Field("hanging", "Images of one patient", "choice",
              "As they are imported; what a csv of labels says of cases goes first", choices=(
                  ("single", "Each a case of its own"),
                  ("auto", "One case, hung by view and laterality"),
                  ("one-up", "One case, in a grid"), ("two-up", "One case, in pairs"),
                  ("mammo", "One case, as four mammograms"),
                  ("prior", "One case, current over prior"))),
        Field("incidental_contact", "Incidental findings go to", "text",
              "Whom key F flags a case for: a role, no name"),
    ),
    "Who reads what": (
        Field("assignment", "Cases to readers", "choice", choices=(
            ("all", "Every reader reads every case"),
            ("blocks", "Each case by some readers, balanced"),
            ("csv", "By a plan: db assign"))),
        Field("planned_readers", "Planned readers", "int", "Of balanced blocks", low=1, high=1000),
        Field("readers_per_case", "Readers of a case", "int", "Of balanced blocks",
              low=1, high=1000),
        Field("crossover", "Every case in every arm", "bool",
              "A washout between; else each case in one arm. Arms stand in study.toml"),
    ),
    "Readers": (
        Field("consent", "Consent text", "long", "Changed, every reader is asked again"),
        Field("reader_attributes", "Asked of a reader once", "many",
              "In coarse classes; a reader may rather not say",
              choices=tuple(zip(ATTRIBUTES, ("Speciality", "Years of experience", "Eyewear"),
                                strict=True))),
    ),
    "Order and repeats": (
        Field("order", "Order of the cases", "choice", choices=(
            ("fixed", "As imported"), ("random", "Random per reader, seeded"),
            ("blocked", "In blocks, random per reader"))),
        Field("block_size", "Cases of a block", "int", low=1, high=10_000),
        Field("repeat_share", "Cases read twice", "float", "For intra-reader agreement",
              high=1, step=0.05),
        Field("reread_bad", "Read again where the gaze was bad", "bool"),
        Field("washout_days", "Washout before reading again", "int", high=3650, unit=" days"),
    ),
    "Time": (
        Field("time_limit_s", "Time limit of a case", "float", "0: none", high=36_000, unit=" s"),
        Field("break_after_cases", "Break after", "int", "0: none", high=10_000, unit=" cases"),
        Field("break_s", "A break lasts at least", "float", high=36_000, unit=" s"),
        Field("feedback", "Show the label after the answer", "choice", choices=(
            ("off", "Never"), ("practice", "In practice cases"), ("on", "Always"))),
    ),
    "Gaze": (
        Field("eye", "Point of gaze from", "choice", choices=(
            ("both", "Both eyes"), ("left", "Left eye"), ("right", "Right eye"),
            ("better", "The better eye of the validation"))),
        Field("calibration_points", "Calibration targets", "choice",
              choices=((5, "5"), (9, "9"), (13, "13"))),
        Field("max_accuracy_deg", "Accuracy limit", "float", low=0.1, high=10, step=0.1,
              unit="°"),
        Field("max_loss", "Loss limit of a calibration", "float", high=1, step=0.05),
        Field("drift_every_cases", "Drift check after", "int", "0: never", high=10_000,
              unit=" cases"),
        Field("max_drift_deg", "Drift limit", "float", low=0.1, high=10, step=0.1, unit="°"),
        Field("loss_alarm", "Loss that marks a case", "float", high=1, step=0.05),
        Field("lost_sign_s", "Quiet sign without gaze after", "float", high=600, step=0.5,
              unit=" s"),
        Field("absence_s", "Reader gone after", "float", "0: never asked", high=3600, unit=" s"),
        Field("fixation_algorithm", "Fixations by", "choice",
              choices=(("velocity", "Velocity"),
                       ("dispersion", "Dispersion (agrees less with people)"))),
    ),
    "Files": (
        Field("stack_frames", "Frames beside the longest seen", "int",
              "Of a stack, in a cohort", high=1000),
        Field("trial", "A trial: simulated and mouse gaze counts", "bool",
              "Else such readings are left out of cohorts"),
        Field("backup_folder", "Backup folder", "text", "Empty: the study's own backups"),
        Field("lsl_network", "LSL streams of other computers", "bool", "From the next start on"),
    ),
}  # fmt: skip
SECTIONS: dict[str, tuple[Field, ...]] = {
    heading: tuple(replace(f, default=getattr(_DEFAULTS, f.name)) for f in fields)
    for heading, fields in _SECTIONS.items()
}
"""All settings but the version that wrote the file, under their headings."""
