"""The gaze of one reading as it arrives: its views, filter, fixations and figures."""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from app.recording.figures import GazeCounts, GazeFigures, figures_of
from app.recording.pauses import Pauses
from app.recording.stream_counts import StreamCounts
from devices.gaze.fixations import (
    FilterParameters,
    Fixation,
    GazeEvent,
    OnlineFixationFilter,
    detect_fixations,
)
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.mapping import (
    FixationPlace,
    MappedGaze,
    ScreenHistory,
    image_at,
    map_samples,
    place_of,
)
from devices.gaze.samples import Eye, SampleArray, empty_samples
from devices.gaze.steady import SteadyGaze
from devices.gaze.view import Affine, TileView, ViewHistory
from migrations.study.schema import new_id

_KEPT_US = 60_000_000
"""No fixation is longer, so samples older than this need not be kept for one."""


def fixation_row(
    reading_id: str, fixation: Fixation, place: FixationPlace, parameters: FilterParameters
) -> dict[str, Any]:
    """Return the row of table `fixation` for a fixation of a reading."""
    return {
        "id": new_id(),
        "reading_id": reading_id,
        "image_id": place.image_id,
        "frame": place.frame,
        "start_us": fixation.start_us,
        "duration_us": fixation.duration_us,
        "x_image": place.x_image,
        "y_image": place.y_image,
        "x_deg": fixation.x_deg,
        "y_deg": fixation.y_deg,
        "dispersion_deg": fixation.dispersion_deg,
        "sample_count": fixation.sample_count,
        "spans_view_change": place.spans_view_change,
        "algorithm": parameters.algorithm,
        "parameters_hash": parameters.hash(),
    }


def event_row(
    reading_id: str, event: GazeEvent, shown: tuple[str | None, int], parameters: FilterParameters
) -> dict[str, Any]:
    """Return the row of table `gaze_event` for an event that ended on an image and frame."""
    return {
        "id": new_id(),
        "reading_id": reading_id,
        "image_id": shown[0],
        "frame": shown[1],
        "kind": event.kind,
        "start_us": event.start_us,
        "duration_us": event.duration_us,
        "amplitude_deg": event.amplitude_deg,
        "peak_velocity_deg_s": event.peak_velocity_deg_s,
        "algorithm": parameters.algorithm,
        "parameters_hash": parameters.hash(),
    }


def warm_up(parameters: FilterParameters) -> None:
    """Compile the filter now, not while the first gaze waits for the recorder's thread."""
    t_us = np.arange(100) * 4_000
    steps = (t_us // 200_000).astype(np.float64)
    detect_fixations(t_us, 5 * steps, 5 * steps, parameters)
    SteadyGaze().push(empty_samples(1))


class LiveReading:
    """The gaze of one reading: its views, its filter, its fixations.

    `show` may be called from any thread; everything else from one.

    Attributes
    ----------
    pauses
        Spells in which no gaze is due.
    seen_until_us
        The time up to which everything has been pushed; None before the first sample.
    """

    def __init__(
        self,
        reading_id: str,
        started_us: int,
        geometry: ScreenGeometry,
        parameters: FilterParameters,
        eye: Eye,
        correction: Affine | None = None,
        usual_rate_hz: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.pauses = Pauses()
        self.seen_until_us: int | None = None
        self._usual_rate_hz = usual_rate_hz
        self.reading_id = reading_id
        self.started_us = started_us
        self.ended_us: int | None = None
        self.last_fixation: Fixation | None = None
        self.on_closed: Callable[[GazeFigures], None] = lambda _figures: None
        self._parameters, self._steady = parameters, SteadyGaze(eye, correction)
        self._filter = OnlineFixationFilter(parameters)
        self._counts = GazeCounts(StreamCounts(eye))
        self._screens, self._views = ScreenHistory(geometry), ViewHistory()
        self._shown: deque[tuple[TileView, ScreenGeometry | None]] = deque()
        self._mapped: list[MappedGaze] = [self._map(empty_samples(0))]
        self._event_rows: list[dict[str, Any]] = []
        self._fixation_count = 0

    def show(self, view: TileView, geometry: ScreenGeometry | None) -> None:
        """Note a view; `geometry` if the screen changed with it."""
        self._shown.append((view, geometry))

    def push(self, samples: SampleArray) -> list[dict[str, Any]]:
        """Take samples in order of time; return the rows of the fixations that ended."""
        self._take_views()
        own = samples[samples["host_us"] >= self.started_us]
        if self.ended_us is not None:
            own = own[own["host_us"] < self.ended_us]
        if len(own) == 0:
            return []
        fresh = self._map(own)
        self._counts.add(own, fresh, self.pauses)
        self._keep(fresh)
        found = self._filter.push(fresh.time_us, fresh.points_deg[:, 0], fresh.points_deg[:, 1])
        return self._rows(found)

    def finish(self) -> list[dict[str, Any]]:
        """Return the rows of the fixations that are cut off by the reading's end."""
        self._take_views()
        return self._rows(self._filter.flush())

    def figures(self) -> GazeFigures:
        """Return the figures so far."""
        end_us = self.ended_us
        if end_us is None:
            seen = (self._counts.stream.last_us, self.seen_until_us, self.started_us)
            end_us = max(at for at in seen if at is not None)
        duration_us = end_us - self.started_us
        open_us = duration_us - self.pauses.total_us(end_us)
        rate_hz = self._usual_rate_hz()
        return figures_of(self._counts, self._fixation_count, duration_us, open_us, rate_hz)

    def _take_views(self) -> None:
        while self._shown:
            view, geometry = self._shown.popleft()
            if geometry is not None and self._views.views:
                self._screens.add(view.time_us, geometry)
            elif geometry is not None:
                # It changed before the reading: the first view is the first opportunity to report
                # it.
                self._screens = ScreenHistory(geometry)
            self._views.add(view)

    def _map(self, samples: SampleArray) -> MappedGaze:
        return map_samples(samples, self._screens, self._views, self._steady)

    def _keep(self, fresh: MappedGaze) -> None:
        self._mapped.append(fresh)
        oldest_us = int(fresh.time_us[-1]) - _KEPT_US
        while len(self._mapped) > 1 and (
            len(self._mapped[0]) == 0 or self._mapped[0].time_us[-1] < oldest_us
        ):
            del self._mapped[0]

    def take_event_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the saccades, pursuits and blinks found since the last call."""
        rows, self._event_rows = self._event_rows, []
        return rows

    def _rows(self, fixations: list[Fixation]) -> list[dict[str, Any]]:
        events = self._filter.take_events()
        if not fixations and not events:
            return []
        gaze = MappedGaze.join(self._mapped)
        for each in events:
            shown = image_at(each.end_us, gaze, self._views)
            self._event_rows.append(event_row(self.reading_id, each, shown, self._parameters))
        if not fixations:
            return []
        self._mapped = [gaze.from_time(fixations[-1].end_us + 1)]
        self._fixation_count += len(fixations)
        self.last_fixation = fixations[-1]
        return [
            fixation_row(self.reading_id, each, place_of(each, gaze, self._views), self._parameters)
            for each in fixations
        ]
