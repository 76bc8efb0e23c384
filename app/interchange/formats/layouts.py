"""Tables whose layout is recognised by their columns: the only place that does this.

A layout says which columns contain what and in which unit. The user's options take precedence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.interchange.options import Origin, Unit
from app.interchange.tables import find_column

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """One known layout.

    Attributes
    ----------
    signature
        Columns that only this layout has in combination.
    roles
        The role of each column, by its possible names.
    unit, origin, time_unit, duration_unit
        As in `ImportOptions`; None: to be inferred from the values.
    zero_is_best
        Whether its validity codes are Tobii's older ones.
    own
        Whether it is Foveate's own export.
    once
        Role whose values count once each: rows repeat an event.
    prefix
        Part of the file's name before the image's.
    refused
        Why it cannot be read; "" if it can.
    """

    name: str
    what: str
    signature: Names
    roles: dict[str, Names] = field(default_factory=dict)
    unit: Unit | None = None
    origin: Origin | None = None
    time_unit: str | None = None
    duration_unit: str | None = None
    zero_is_best: bool = False
    own: bool = False
    once: str = ""
    prefix: str = ""
    refused: str = ""


_SCENE = "its gaze is in the picture of a scene camera, which is not related to the screen; export "
_EYELINK = {
    "participant": ("RECORDING_SESSION_LABEL", "subjectnum"),
    "reading": ("TRIAL_INDEX",),
    "image": ("image", "image_name", "IMAGE_FILE", "searcharray", "img", "stimulus", "TRIAL_LABEL"),
}
LAYOUTS = (
    Layout(
        "foveate", "Foveate's own export of samples",
        ("reading_id", "reader", "host_us", "x_image"),
        own=True,
    ),
    Layout(
        "foveate-fixations", "Foveate's own export of fixations",
        ("reading_id", "reader", "start_us", "x_image", "parameters_hash"), own=True,
    ),
    Layout(
        "pupil-surface", "Pupil's gaze on a surface",
        ("gaze_timestamp", "x_norm", "y_norm", "on_surf"),
        {"time": ("gaze_timestamp",), "x": ("x_norm",), "y": ("y_norm",)},
        "image-fraction", "bottom-left", "s", prefix="gaze_positions_on_surface_",
    ),
    Layout(
        "pupil-surface", "Pupil's fixations on a surface",
        ("fixation_id", "start_timestamp", "duration", "norm_pos_x", "norm_pos_y", "on_surf"),
        {"time": ("start_timestamp",), "x": ("norm_pos_x",), "y": ("norm_pos_y",),
         "id": ("fixation_id",)},
        "image-fraction", "bottom-left", "s", "ms", once="id",
        prefix="fixations_on_surface_",
    ),
    Layout(
        "pupil-scene", "Pupil Core's gaze", ("gaze_timestamp", "norm_pos_x", "base_data"),
        refused=_SCENE + "the gaze on a surface (gaze_positions_on_surface_….csv).",
    ),
    Layout(
        "pupil-scene", "Pupil Invisible's or Neon's gaze", ("timestamp [ns]", "gaze x [px]"),
        refused=_SCENE + "the Marker Mapper's or Reference Image Mapper's gaze.",
    ),
    Layout(
        "gazemedseg", "GazeMedSeg's fixations",
        ("IMAGE", "CURRENT_FIX_X", "CURRENT_FIX_DURATION", "IMAGE_WIDTH", "IMAGE_HEIGHT"),
        {"image": ("IMAGE",), "time": ("CURRENT_FIX_START",), "x": ("CURRENT_FIX_X",),
         "y": ("CURRENT_FIX_Y",), "duration": ("CURRENT_FIX_DURATION",)},
        "image-fraction", "top-left", "ms", "ms",
    ),
    Layout(
        "eyeassist", "EyeAssist-Neo's fixations",
        ("Source_File", "CURRENT_FIX_X", "CURRENT_FIX_Y", "CURRENT_FIX_DURATION"),
        {"image": ("Source_File",), "participant": ("RECORDING_SESSION_LABEL",),
         "reading": ("TRIAL_INDEX",),
         "x": ("CURRENT_FIX_X",), "y": ("CURRENT_FIX_Y",), "duration": ("CURRENT_FIX_DURATION",)},
        "image-px", "top-left", "ms", "ms",
    ),
    Layout(
        "eyelink-report", "Data Viewer's fixation report",
        ("CURRENT_FIX_X", "CURRENT_FIX_Y", "CURRENT_FIX_DURATION"),
        {"time": ("CURRENT_FIX_START",), "x": ("CURRENT_FIX_X",), "y": ("CURRENT_FIX_Y",),
         "duration": ("CURRENT_FIX_DURATION",), **_EYELINK},
        "screen-px", "top-left", "ms", "ms",
    ),
    Layout(
        "eyelink-report", "Data Viewer's sample report",
        ("TIMESTAMP", "RIGHT_GAZE_X", "RIGHT_GAZE_Y"),
        {"time": ("TIMESTAMP",), "left_x": ("LEFT_GAZE_X",), "left_y": ("LEFT_GAZE_Y",),
         "right_x": ("RIGHT_GAZE_X",), "right_y": ("RIGHT_GAZE_Y",), **_EYELINK},
        "screen-px", "top-left", "ms",
    ),
    Layout(
        "gazepoint", "Gazepoint's all-gaze export", ("MEDIA_NAME", "BPOGX", "BPOGY", "BPOGV"),
        {"image": ("MEDIA_NAME",), "time": ("TIME(*", "TIME"), "x": ("BPOGX",), "y": ("BPOGY",),
         "valid": ("BPOGV",), "left_x": ("LPOGX",), "left_y": ("LPOGY",), "right_x": ("RPOGX",),
         "right_y": ("RPOGY",), "left_valid": ("LPOGV",), "right_valid": ("RPOGV",),
         "left_pupil_mm": ("LPMM",), "right_pupil_mm": ("RPMM",)},
        "screen-fraction", "top-left", "s",
    ),
    Layout(
        "gazebase", "GazeBase's samples in degrees", ("n", "x", "y", "val", "xT", "yT"),
        {"time": ("n",), "x": ("x",), "y": ("y",), "valid": ("val",)},
        "screen-deg", "centre", "ms", zero_is_best=True,
    ),
    Layout(
        "eyeassist", "EyeAssist's fixations", ("case_id", "reader_id", "x", "y", "duration"),
        {"image": ("case_id",), "participant": ("reader_id",), "reading": ("state",),
         "frame": ("slice_index", "slice", "slice_number")},
        "image-px", "top-left",
    ),
)  # fmt: skip
PLAIN = Layout("", "any table", ())


def layout_of(names: Sequence[str], wanted: str = "") -> Layout:
    """Return the layout of a header, `PLAIN` for an unknown one; `wanted` allows only that name."""
    for layout in LAYOUTS:
        if wanted in ("", layout.name) and all(find_column(names, s) for s in layout.signature):
            return layout
    return PLAIN


def signature_of(name: str) -> str:
    """Return in words by which columns a layout is recognised."""
    return "; or ".join(", ".join(each.signature) for each in LAYOUTS if each.name == name)
