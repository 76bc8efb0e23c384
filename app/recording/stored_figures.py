"""Fixations and figures of stored gaze: identical to those computed while recording."""

from typing import Any

from app.recording.figures import GazeCounts, GazeFigures, figures_of
from app.recording.live_reading import event_row, fixation_row
from app.recording.pauses import Pauses
from app.recording.stream_counts import StreamCounts
from devices.gaze.fixations import FilterParameters, detect_events
from devices.gaze.stored import StoredGaze


def event_rows(
    reading_id: str, gaze: StoredGaze, parameters: FilterParameters
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of tables `fixation` and `gaze_event` for the gaze of a reading."""
    x_deg, y_deg = gaze.points_deg.T
    fixations, events = detect_events(gaze.time_us, x_deg, y_deg, parameters)
    places = zip(fixations, gaze.places_of(fixations), strict=True)
    ends = zip(events, gaze.images_at([each.end_us for each in events]), strict=True)
    return (
        [fixation_row(reading_id, each, place, parameters) for each, place in places],
        [event_row(reading_id, each, shown, parameters) for each, shown in ends],
    )


def stored_figures(
    gaze: StoredGaze,
    fixation_count: int,
    started_us: int,
    ended_us: int,
    *,
    pauses: Pauses | None = None,
    rate_hz: float | None = None,
    open_us: int | None = None,
) -> GazeFigures:
    """Return the figures of the gaze of a reading.

    Parameters
    ----------
    pauses
        Spells in which no gaze was due.
    rate_hz
        Rate of its recording; None: its own, as measured.
    open_us
        How long gaze was due; None: from start to end, without pauses. 0 if a source of gaze may
        have its own reasons to leave samples out.
    """
    pauses, duration_us = pauses or Pauses(), ended_us - started_us
    counts = GazeCounts(StreamCounts(gaze.eye))
    if len(gaze):
        counts.add(gaze.samples, gaze, pauses)
    due_us = duration_us - pauses.total_us(ended_us) if open_us is None else open_us
    return figures_of(counts, fixation_count, duration_us, due_us, rate_hz)
