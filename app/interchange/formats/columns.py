"""Which column of a table contains what: by the user's mapping, a known layout, or usual names."""

from pathlib import Path

from app.interchange.formats.layouts import Layout
from app.interchange.options import ImportOptions
from app.interchange.rows import RowSource
from app.interchange.tables import find_column, need_column
from devices.gaze.errors import GazeFileError

USUAL = {
    "image": (
        "image_sha256", "image", "image_name", "image_id", "img", "stimulus", "file", "filename",
    ),
    "reading": ("reading_id", "reading", "trial", "trial_id", "trial_index"),
    "reader": ("reader",),
    "participant": ("participant", "participant_id", "participant_name", "subject", "subject_id"),
    "time": (
        "time_us", "start_us", "time", "timestamp", "time_ms", "time_s", "t", "start", "start_ms",
        "start_s", "onset", "time [ms]", "time [s]", "timestamp [ms]", "timestamp [us]",
    ),
    "duration": ("duration_us", "duration", "duration_ms", "duration_s", "duration [ms]", "dur"),
    "x": ("x_image", "x", "gaze_x", "x_position", "x_px", "x_norm", "x_deg"),
    "y": ("y_image", "y", "gaze_y", "y_position", "y_px", "y_norm", "y_deg"),
    "left_x": ("left_x", "x_left", "gaze_left_x"),
    "left_y": ("left_y", "y_left", "gaze_left_y"),
    "right_x": ("right_x", "x_right", "gaze_right_x"),
    "right_y": ("right_y", "y_right", "gaze_right_y"),
    "left_pupil_mm": ("left_pupil_mm", "pupil_left_mm"),
    "right_pupil_mm": ("right_pupil_mm", "pupil_right_mm"),
    "valid": ("valid", "validity"),
    "left_valid": ("left_valid", "valid_left", "left_validity", "validity_left"),
    "right_valid": ("right_valid", "valid_right", "right_validity", "validity_right"),
    "confidence": ("confidence", "conf"),
    "frame": ("frame", "slice", "slice_index"),
    "id": (),
    "order": ("CURRENT_FIX_INDEX", "fixation_index", "fix_index", "fixation_number"),
}  # fmt: skip
"""Usual names of the column for each role."""


def columns_of(source: RowSource, layout: Layout, options: ImportOptions) -> dict[str, str]:
    """Return the column for each role that the table has.

    Raises
    ------
    GazeFileError
        If a mapped column is missing or duplicate, a role unknown, or no column contains gaze.
    """
    unknown = set(options.columns) - set(USUAL)
    if unknown:
        raise GazeFileError(
            f"--columns: unknown {', '.join(sorted(unknown))}; known are {', '.join(USUAL)}."
        )
    found = {}
    for role, usual in USUAL.items():
        name = (
            need_column(source.path, source.names, options.columns[role])
            if role in options.columns
            else find_column(source.names, *layout.roles.get(role, usual))
        )
        if name is not None:
            found[role] = name
    _choose_participant(source, found, options)
    _choose_order(source.path, found, options)
    twice = [name for name in found.values() if source.names.count(name) > 1]
    if twice:
        raise GazeFileError(
            f"{source.path} has more than one column `{twice[0]}`. Rename all except the right one."
        )
    if not ({"x", "y"} <= set(found) or has_eyes(found)):
        need_column(source.path, source.names, *USUAL["x"])
        need_column(source.path, source.names, *USUAL["y"])
    return found


def _choose_participant(source: RowSource, found: dict[str, str], options: ImportOptions) -> None:
    if options.participant == "none":
        found.pop("participant", None)
        found.pop("reader", None)
    elif options.participant is not None:
        found["participant"] = need_column(source.path, source.names, options.participant)
        found.pop("reader", None)
    elif "reader" in found:
        found["participant"] = found.pop("reader")


def _choose_order(path: Path, found: dict[str, str], options: ImportOptions) -> None:
    """Leave `order` only where nothing else tells it: fixations without times."""
    if "duration" in found and "time" not in found:
        return
    if "order" in options.columns:
        raise GazeFileError(
            f"{path}: --columns order is for fixations without times; here the "
            + (f"times are in `{found['time']}`." if "time" in found else "rows are samples.")
        )
    found.pop("order", None)


def has_eyes(columns: dict[str, str]) -> bool:
    """Whether at least one eye has both coordinates."""
    return any(f"{s}_x" in columns and f"{s}_y" in columns for s in ("left", "right"))


def is_own_export(path: Path, layout: Layout) -> bool:
    """Whether a table was exported by Foveate: by its columns and the manifest beside it."""
    return layout.own and (path.parent / "foveate-export.json").is_file()
