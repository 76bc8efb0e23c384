"""What happens to a reading once it has ended: last samples, figures, rating."""

from dataclasses import asdict

from app.recording.event_notes import joined, notes_of
from app.recording.figures import GazeFigures
from app.recording.open_reading import OpenReading
from app.recording.reader_setup import ReaderSetup
from app.recording.recovery import seconds_since
from app.recording.session_services import SessionServices
from app.recording.verdict import ReadingResult, columns, judge
from app.recording.worklist import State
from app.recording.writer import update_row
from migrations.study.schema import Reading


class EndedReadings:
    """The readings of one session that have ended.

    Attributes
    ----------
    results
        By reading id; filled in once the last sample of a reading has come.
    """

    def __init__(self, services: SessionServices, setup: ReaderSetup) -> None:
        self._services, self._setup = services, setup
        self.results: dict[str, ReadingResult] = {}
        self._ended_us: dict[str, int] = {}

    def end(self, reading: OpenReading, state: State, reason: str) -> None:
        """Write how a reading ended; figures and rating follow with its last sample."""
        services, setup = self._services, self._setup
        validation, drift_deg = setup.validation, setup.drift_deg
        accuracy_deg = validation.accuracy_deg if validation else None
        queue_depth = services.writer.peak_depth
        ended_us = self._ended_us[reading.reading_id] = reading.end(state, reason)

        def closed(figures: GazeFigures) -> None:
            partial = state == "interrupted" or reading.case.resumes_id is not None
            settings = services.study.settings
            verdict = judge(figures, accuracy_deg, settings, drift_deg, partial=partial)
            reading.details["stream"] = {**figures.stream(), "queue_depth": queue_depth}
            said = notes_of(map(asdict, services.recorder.events()), reading.started_us, ended_us)
            reading.details = joined(reading.details, said)
            row = columns(figures, verdict) | {"details": dict(reading.details)}
            services.writer.put(update_row(Reading, reading.reading_id, **row))
            services.frames.put(reading.reading_id)
            self.results[reading.reading_id] = ReadingResult(
                reading.reading_id, reading.case.case_id, state, figures, verdict
            )

        services.live.close(ended_us, closed)

    def seconds_since(self, reading_id: str) -> float | None:
        """Return how many real seconds ago a reading ended; None if unknown."""
        ended_us = self._ended_us.get(reading_id)  # of this session: its row may still be queued
        if ended_us is None:
            return seconds_since(self._services.study.database, reading_id)
        clock = self._services.clock
        return clock.real_seconds(clock.now_us() - ended_us)
