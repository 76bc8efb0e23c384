"""The services of a session from its first row to its last: lock, recorder, live gaze, writer."""

import logging
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from app.errors import NotCommitted, SessionError
from app.images.frames import FrameWriter
from app.recording.live import LiveGaze
from app.recording.live_reading import warm_up
from app.recording.lock import StationLock
from app.recording.opening_rows import OpeningRows, write_opening_rows
from app.recording.recorder import Recorder
from app.recording.recovery import Interrupted, close_open_rows
from app.recording.writer import Writer, insert_into, update_row
from devices.clock import HostClock
from devices.gaze.fixations import FilterParameters
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import Eye
from devices.tracker import Tracker
from migrations.study.audit import add_audit, audit_row
from migrations.study.errors import DatabaseError
from migrations.study.folder import Study, backup_folder, require_local
from migrations.study.schema import Audit, utc_now
from migrations.study.schema import Session as SessionRow

log = logging.getLogger(__name__)

_SETTLE_S = 3.0


@dataclass(slots=True)
class SessionServices:
    """Opened and closed as one.

    Attributes
    ----------
    rows
        The rows the session began with.
    details
        What the session's row stores besides its columns.
    frames
        Writes pictures of the frames of stacks that were looked at.
    recovered
        What a crashed station had left open.
    """

    study: Study
    rows: OpeningRows
    lock: StationLock
    clock: HostClock
    writer: Writer
    recorder: Recorder
    live: LiveGaze
    details: dict[str, Any]
    frames: FrameWriter
    recovered: list[Interrupted] = field(default_factory=list)
    station: str = ""
    _is_stopped: bool = False

    @classmethod
    def open(
        cls,
        study: Study,
        reader: str,
        tracker: Tracker,
        clock: HostClock,
        geometry: ScreenGeometry,
        **opening: Any,
    ) -> Self:
        """Lock the study, recover what a crash left, connect the tracker, start to record.

        Parameters
        ----------
        opening
            As `opening_rows.write_opening_rows` takes them.

        Raises
        ------
        SessionError, StudyError, DeviceError
            As `ReadingSession.open` says; the study is free again then.
        """
        _require_recordable(study)
        parameters = filter_parameters(study)
        warm_up(parameters)
        lock = StationLock(study.folder)
        lock.acquire()
        try:
            recovered = close_open_rows(study.database)
            opening["details"] = {"fixation_parameters": asdict(parameters), **opening["details"]}
            rows = write_opening_rows(study, reader, tracker.info, clock, geometry, **opening)
            services = cls._assembled(study, rows, lock, tracker, clock, geometry, parameters)
            services.recovered, services.station = recovered, opening["station"]
            services._start()
        except BaseException:
            lock.release()
            raise
        return services

    def note(self, **details: Any) -> None:
        """Add to what the session's row stores besides its columns."""
        self.details.update(details)
        self.writer.put(update_row(SessionRow, self.rows.session_id, details={**self.details}))

    def audit(self, action: str, details: dict[str, Any], reason: str | None = None) -> None:
        """Record in the audit what was decided about this session, and why."""
        subject = self.rows.session_id
        row = audit_row(action, subject, details, reason=reason, **self._signed())
        self.writer.put(insert_into(Audit, row))

    def _signed(self) -> dict[str, str]:
        """Return the person and place for audit rows of this session."""
        return {"person": self.rows.pseudonym, "station": self.station}

    def close(self, timeout_s: float) -> None:
        """Take the last samples, write the last rows, free the study.

        Raises
        ------
        NotCommitted
            If rows are still waiting for the database; call it again.
        """
        if not self._is_stopped:
            self.live.settled(_SETTLE_S)
            self.recorder.stop(timeout_s)
            self.live.advance(self.clock.now_us(), final=True)
            self._write_end()
            self._is_stopped = True
        self.frames.close(timeout_s)
        if not self.writer.close(timeout_s):
            raise NotCommitted(f"The session cannot be closed yet. {self.writer.problem}")
        self._seal()
        self.lock.release()

    def _seal(self) -> None:
        """Close the session's part of the sealed record: signed, and known outside the study."""
        try:
            with self.study.database.write() as session:
                add_audit(session, "session closed", self.rows.session_id, **self._signed())
            self.study.database.remember_seal()
        except DatabaseError as error:  # the rows are safe; the next writer signs for them
            log.warning("The end of the session could not be signed: %s", error)

    @classmethod
    def _assembled(
        cls,
        study: Study,
        rows: OpeningRows,
        lock: StationLock,
        tracker: Tracker,
        clock: HostClock,
        geometry: ScreenGeometry,
        parameters: FilterParameters,
    ) -> Self:
        eye, writer = _first_eye(study), Writer(study.database)
        recorder = Recorder(study.database, tracker, clock, rows.session_id, eye=eye, writer=writer)
        live = LiveGaze(writer, clock, geometry, parameters, eye)
        live.usual_rate_hz = recorder.rate_hz
        frames = FrameWriter(study, lambda: writer.flush(_SETTLE_S))
        return cls(study, rows, lock, clock, writer, recorder, live, dict(rows.details), frames)

    def _start(self) -> None:
        self.recorder.add_listener(self.live.listen)
        self.recorder.add_ticker(self.live.tick)
        self.writer.start()
        try:
            self.recorder.start()
        except BaseException as error:
            self.details["failed"] = str(error)
            self._write_end()
            self.writer.close()
            raise
        self.frames.start()

    def _write_end(self) -> None:
        self.writer.put(
            update_row(
                SessionRow,
                self.rows.session_id,
                ended_utc=utc_now(),
                details={**self.details},
            )
        )


def filter_parameters(study: Study) -> FilterParameters:
    """Return how a study's fixations should be found."""
    is_dispersion = study.settings.fixation_algorithm == "dispersion"
    return FilterParameters(algorithm="dispersion" if is_dispersion else "velocity")


def _first_eye(study: Study) -> Eye:
    # Which eye is better is known after a validation; until then both.
    eye = study.settings.eye
    return "left" if eye == "left" else "right" if eye == "right" else "both"


def _require_recordable(study: Study) -> None:
    require_local(study.folder)
    require_local(backup_folder(study.folder, study.settings))
    if study.database.path is None:
        raise SessionError(
            "A session is recorded on this computer's own disk and pushed to the server later. "
            "Open the study without --database."
        )
