"""The names, order and limits of a study's settings on their page."""

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
        Field("classes", "Answers", "list", "One per line; answered with keys 1–9"),
        Field(
            "annotations", "Also record", "many",
            choices=tuple(zip(ANNOTATIONS, ("Boxes", "Keypoints", "Note", "Confidence"),
                              strict=True)),
        ),
        Field("case_sheet", "Shown from the case sheet", "many",
              "From a CSV file imported on the Progress page; hidden in arms with no_sheet",
              choices=tuple(zip(SHEET, ("Age group", "Sex", "Clinical question", "Priors"),
                                strict=True))),
        Field("edge_words", "Text above and below an image", "bool",
              "Side and view, orientation letters, window, zoom and frame"),
        Field("hanging", "Images of one patient", "choice",
              "Applied on import; cases named in a CSV of labels take precedence", choices=(
                  ("single", "Separate cases"),
                  ("auto", "One case, hung by view and laterality"),
                  ("one-up", "One case, in a grid"), ("two-up", "One case, in pairs"),
                  ("mammo", "One case, as four mammograms"),
                  ("prior", "One case, current over prior"))),
        Field("incidental_contact", "Incidental findings go to", "text",
              "Who is told when a reader presses F: a role, not a name"),
    ),
    "Assignment": (
        Field("assignment", "Assign cases", "choice", choices=(
            ("all", "Every reader reads every case"),
            ("blocks", "Several readers per case, in balanced blocks"),
            ("csv", "By an imported plan"))),
        Field("planned_readers", "Planned readers", "int", "For balanced blocks", low=1, high=1000),
        Field("readers_per_case", "Readers per case", "int", "For balanced blocks",
              low=1, high=1000),
        Field("crossover", "Every case in every arm", "bool",
              "With a washout in between; otherwise each case is read in one arm"),
    ),
    "Readers": (
        Field("consent", "Consent text", "long", "If changed, readers must consent again"),
        Field("reader_attributes", "Asked of each reader once", "many",
              "In broad categories; a reader may prefer not to say",
              choices=tuple(zip(ATTRIBUTES, ("Speciality", "Years of experience", "Eyewear"),
                                strict=True))),
    ),
    "Order and repeats": (
        Field("order", "Order of the cases", "choice", choices=(
            ("fixed", "As imported"), ("random", "Random for each reader"),
            ("blocked", "In blocks, random for each reader"))),
        Field("block_size", "Cases per block", "int", low=1, high=10_000),
        Field("repeat_share", "Share of cases read twice", "float", 
              "From 0 to 1, for intra-reader agreement", high=1, step=0.05),
        Field("reread_bad", "Repeat readings with bad gaze", "bool"),
        Field("washout_days", "Washout before a repeat", "int", high=3650, unit=" days"),
    ),
    "Time": (
        Field("time_limit_s", "Time limit per case", "float", "0 for none", high=36_000, unit=" s"),
        Field("break_after_cases", "Break after", "int", "0 for none", high=10_000, unit=" cases"),
        Field("break_s", "Minimum break", "float", high=36_000, unit=" s"),
        Field("feedback", "Show the reference after the answer", "choice", choices=(
            ("off", "Never"), ("practice", "In practice cases"), ("on", "Always"))),
    ),
    "Gaze": (
        Field("eye", "Point of gaze from", "choice", choices=(
            ("both", "Both eyes"), ("left", "Left eye"), ("right", "Right eye"),
            ("better", "The eye with the better accuracy check"))),
        Field("calibration_points", "Calibration targets", "choice",
              choices=((5, "5"), (9, "9"), (13, "13"))),
        Field("max_accuracy_deg", "Accuracy limit", "float", low=0.1, high=10, step=0.1,
              unit="°"),
        Field("max_loss", "Gaze loss limit", "float", high=1, step=0.05),
        Field("drift_every_cases", "Drift check after", "int", "0 for never", high=10_000,
              unit=" cases"),
        Field("max_drift_deg", "Drift limit", "float", low=0.1, high=10, step=0.1, unit="°"),
        Field("loss_alarm", "Flag a case above a gaze loss of", "float", high=1, step=0.05),
        Field("lost_sign_s", "Show “no gaze” notice after", "float", high=600, step=0.5,
              unit=" s"),
        Field("absence_s", "Ask for the reader's code after", "float", "0 for never",
              high=3600, unit=" s"),
        Field("fixation_algorithm", "Fixation algorithm", "choice",
              choices=(("velocity", "Velocity"),
                       ("dispersion", "Dispersion (agrees less with human coders)"))),
        Field("head_restraint", "Head restraint", "text",
              "For the reporting checklist: none, chin rest, headrest …"),
        Field("latency_ms", "Latency of the tracker", "float",
              "For the reporting checklist; 0 if not known", high=10_000, unit=" ms"),
        Field("latency_source", "Source of the latency", "text",
              "The manufacturer's data sheet, or how it was measured"),
    ),
    "Files": (
        Field("stack_frames", "Frames around the longest viewed", "int",
              "Per stack, in a cohort", high=1000),
        Field("trial", "Trial study: include simulated and mouse gaze", "bool",
              "Otherwise these readings are excluded from cohorts"),
        Field("backup_folder", "Backup folder", "text",
              "Leave empty to keep backups in the study's folder"),
        Field("lsl_network", "LSL streams from other computers", "bool",
              "Takes effect at the next start"),
        Field("archive_network", "Images from archives on other computers", "bool",
              "Otherwise only from archives on this computer"),
    ),
}  # fmt: skip
SECTIONS: dict[str, tuple[Field, ...]] = {
    heading: tuple(replace(f, default=getattr(_DEFAULTS, f.name)) for f in fields)
    for heading, fields in _SECTIONS.items()
}
"""All settings under their headings, except the version that wrote the file."""
