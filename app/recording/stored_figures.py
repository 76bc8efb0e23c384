"""Fixations and figures of stored gaze: the same as while it was recorded."""

from typing import Any

from app.recording.live_reading import GazeFigures, figures_of, fixation_row
from app.recording.stream_counts import StreamCounts
from devices.gaze.fixations import FilterParameters, detect_fixations
from devices.gaze.stored import StoredGaze


def fixation_rows(
    reading_id: str, gaze: StoredGaze, parameters: FilterParameters
) -> list[dict[str, Any]]:
    """Return the rows of table `fixation` for the gaze of a reading."""
    x_deg, y_deg = gaze.points_deg.T
    found = detect_fixations(gaze.time_us, x_deg, y_deg, parameters)
    return [fixation_row(reading_id, each, gaze.place_of(each), parameters) for each in found]


def stored_figures(gaze: StoredGaze, fixation_count: int, duration_us: int) -> GazeFigures:
    """Return the figures of the gaze of a reading that lasted `duration_us`."""
    counts = StreamCounts(gaze.eye)
    counts.add(gaze.samples, gaze.has_gaze)
    off_count = int((gaze.has_gaze & (gaze.view_index < 0)).sum())
    return figures_of(counts, off_count, fixation_count, duration_us)
