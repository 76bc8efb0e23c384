"""A reading session without Qt: the reader, the progress, and every row of it.

``idle`` → ``calibrating`` → ``ready`` → ``reading`` → ``ready`` … → ``closed``. All rows go through
one writer in the order of events. Only `open`, `settled` and `close` wait for the disk or the
device; the GUI thread may call all the others.
"""

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from app.errors import SessionError, WrongStep
from app.images.clearing import cases_to_clear
from app.recording.aids import Boxes
from app.recording.calibration.drift import DriftProbe
from app.recording.calibration.run import CalibrationRun
from app.recording.calibration.standing import READ_ANYWAY
from app.recording.calibration.target_watch import Point
from app.recording.calibration.validation import ValidationResult
from app.recording.cases import CaseList, CaseToRead
from app.recording.ended_readings import EndedReadings
from app.recording.event_notes import NOTES
from app.recording.form_answers import say, take_back
from app.recording.last_tracker import remember
from app.recording.open_reading import OpenReading
from app.recording.reader_setup import ReaderSetup
from app.recording.session_services import SessionServices
from app.recording.worklist import State, case_tiles
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import TileView
from devices.tracker import Tracker
from migrations.study.cohort_rules import STAND_IN, STAND_INS
from migrations.study.folder import Study
from migrations.study.schema import new_id

_SETTLE_S = 3.0


class Phase(StrEnum):
    """The phase of a session."""

    IDLE = "idle"
    CALIBRATING = "calibrating"
    READY = "ready"
    READING = "reading"
    CLOSED = "closed"


class ReadingSession:
    """One session of one reader; made by `open`.

    Attributes
    ----------
    session_id
        The row in table `session`.
    phase
        Where it stands.
    cases
        The reader's cases in order.
    recorder, live
        Sources of the status strip (`recorder.status()`, `live.status()`).
    recovered
        What a crashed station had left open; closed when this session was opened.
    results
        By reading id; filled in shortly after each reading ends (`settled` waits for it).
    setup
        How the reader sits: distance, glasses, the last validation, correction and drift.
    """

    def __init__(self, services: SessionServices) -> None:
        self.study, self.clock = services.study, services.clock
        self.writer, self.recorder, self.live = services.writer, services.recorder, services.live
        self.tracker = services.recorder.tracker
        self.session_id, self.reader = services.rows.session_id, services.rows.pseudonym
        self.phase = Phase.IDLE
        self.cases = CaseList(services.rows.cases, case_tiles(services.study))
        self.recovered = services.recovered
        self.setup = ReaderSetup(services)
        self._services = services
        self._reading: OpenReading | None = None
        self._ended = EndedReadings(services, self.setup)
        self.results = self._ended.results
        self._run: CalibrationRun | None = None

    @classmethod
    def open(
        cls,
        study: Study,
        reader: str,
        tracker: Tracker,
        clock: HostClock,
        geometry: ScreenGeometry,
        *,
        station: str = "",
        seed: int | None = None,
        consented: bool = False,
        cleared_only: bool = False,
        details: dict[str, Any] | None = None,
    ) -> Self:
        """Lock the study, recover what a crash left, connect the tracker, start to record.

        Parameters
        ----------
        reader
            Pseudonym.
        tracker
            Not connected yet; the session connects and disconnects it.
        seed
            Seed for the order of cases; by default that of the reader's earlier sessions, or a new
            one.
        consented
            Whether the reader agrees now; needed once per reader and consent text.
        cleared_only
            Whether to leave out cases whose images may carry a burned-in name.
        details
            Anything else to store in the session's row, ready for JSON.

        Raises
        ------
        ConsentMissing
            If the reader has never agreed (`opening_rows.has_consented` asks beforehand).
        StationBusy
            If another station is recording into the study.
        DeviceError
            If the tracker cannot be opened.
        """
        services = SessionServices.open(
            study,
            reader,
            tracker,
            clock,
            geometry,
            station=station,
            seed=seed,
            consented=consented,
            details=details or {},
        )
        session = cls(services)
        remember(tracker.info)
        if cleared_only:
            session.cases.leave_out(cases_to_clear(study))
        return session

    @property
    def current_case(self) -> CaseToRead | None:
        """The case that is being read."""
        return self._reading.case if self._reading else None

    @property
    def reading_id(self) -> str | None:
        """The row of the open reading."""
        return self._reading.reading_id if self._reading else None

    @property
    def answered(self) -> str | None:
        """The answer given to the open reading so far."""
        return self._reading.answer_label if self._reading else None

    def next_case(self) -> CaseToRead | None:
        """Return the case to read next: interrupted ones first; None when all are read."""
        self._require(Phase.IDLE, Phase.CALIBRATING, Phase.READY, Phase.READING)
        return self.cases.next()

    def aids(self, case: CaseToRead) -> Boxes:
        """Return the boxes that a case's arm shows, by image; empty for most."""
        return self._services.rows.aids.get(case.arm_id or "", {})

    def sheet(self, case: CaseToRead) -> tuple[str, ...]:
        """Return what is shown about a case besides its images, one line per part; may be empty."""
        rows = self._services.rows
        return () if case.arm_id in rows.without_sheet else rows.sheets.get(case.case_id, ())

    def set_aside(self, case: CaseToRead) -> None:
        """Skip a case whose images cannot be shown; the session's row names it."""
        self.cases.set_aside(case.case_id)
        self._services.note(set_aside=list(self.cases.aside))

    @property
    def validation(self) -> ValidationResult | None:
        """The last validation; None before the first."""
        return self.setup.validation

    @property
    def against_reading(self) -> str:
        """What speaks against reading now, in words; "" once it was chosen to read anyway."""
        return self.setup.unanswered

    def read_anyway(self) -> None:
        """Read despite it: the session's row, the audit and each reading record the reason."""
        self.setup.read_anyway()

    def calibrate(
        self,
        targets: Sequence[Point] | None = None,
        validation: Sequence[Point] | None = None,
        after: CalibrationRun | None = None,
    ) -> CalibrationRun:
        """Begin a calibration; `CalibrationRun.end` brings the session back to ``ready``.

        Parameters
        ----------
        targets, validation
            `_norm`; by default the study's number of points, and the held-out ones.
        after
            Continue this run: what it collected is kept, except at `targets`.
        """
        self._require(Phase.IDLE, Phase.READY)
        self.phase = Phase.CALIBRATING
        self._run = CalibrationRun(
            self.recorder,
            self.clock,
            self.live.geometry,
            self.study.settings,
            self._calibrated,
            targets=targets,
            validation_targets=validation,
            correction=self.setup.correction,
            after=after,
        )
        return self._run

    def probe_drift(self) -> DriftProbe:
        """Begin a drift probe; the mark is on the screen now."""
        self._require(Phase.IDLE, Phase.READY)
        settings, setup = self.study.settings, self.setup
        return DriftProbe(
            self.recorder,
            self.clock,
            setup.geometry,
            settings.max_drift_deg,
            setup.correction,
            setup.drifted,
        )

    def begin(self, case: CaseToRead | str) -> str:
        """Open a reading of a case and return its id; an interrupted one is resumed.

        Pages ask first (`against_reading`); a reading without a calibration within the limits says
        so in its details, notes and rating.
        """
        self._require(Phase.IDLE, Phase.READY)
        chosen = self.cases.get(case if isinstance(case, str) else case.case_id)
        reading = OpenReading(
            new_id(),
            self.session_id,
            self._services.rows.reader_id,
            chosen,
            self.writer,
            self.live,
            self.clock,
            self._details(chosen),
            self._services.rows.questions,
        )
        reading.begin()
        self.cases.mark(chosen.case_id, "open", reading.reading_id)
        self._reading, self.phase = reading, Phase.READING
        self.writer.peak_depth = 0
        return reading.reading_id

    def show(self, view: TileView, geometry: ScreenGeometry | None = None) -> None:
        """Note what the reader sees from `view.time_us` on; `geometry` if the screen changed."""
        self._open_reading().show(view, geometry)

    def answer(self, label: str) -> str:
        """Give the case its class; an earlier answer is marked undone. Return the row's id."""
        reading, classes = self._open_reading(), self.study.settings.classes
        if label not in classes:
            raise SessionError(
                f"{label!r} is not a class of this study, which has {', '.join(classes)}."
            )
        return reading.answer(label)

    def say(self, key: str, value: str, annotation_id: str | None = None) -> str:
        """Answer a question of the form; an earlier answer is marked undone. Return the row's id.

        Parameters
        ----------
        value
            As accepted by `forms.checked_value`.
        annotation_id
            The mark it is about; None for the case.

        Raises
        ------
        SessionError
            If the form has no such question, or it cannot be answered so.
        """
        return say(self._open_reading(), self.study.settings.questions, key, value, annotation_id)

    def take_back(self, key: str, annotation_id: str | None = None) -> None:
        """Mark the answer to a question undone, if there is one."""
        take_back(self._open_reading(), key, annotation_id)

    def note(self, text: str) -> str:
        """Write a free note; return the row's id."""
        return self.annotate("note", details={"text": text})

    def annotate(self, kind: str, **fields: Any) -> str:
        """Write an annotation with columns of its table (box, keypoint, …); return its id."""
        return self._open_reading().annotate(kind, fields)

    def undo(self, annotation_id: str) -> None:
        """Mark an annotation of the open reading undone; the row stays."""
        self._open_reading().undo(annotation_id)

    def note_absence(self, gone_us: int) -> None:
        """Note in the open reading how long no eyes were seen, up to now."""
        self._open_reading().absent(gone_us)

    def pause(self) -> None:
        """Note that the images of the open reading are hidden: no gaze is due until `resume`."""
        self._open_reading().pause(begins=True)

    def resume(self) -> None:
        """Note that they are shown again."""
        self._open_reading().pause(begins=False)

    def finish(self) -> str:
        """End the reading as finished; return its id."""
        return self._end("finished", "")

    def interrupt(self, reason: str) -> str:
        """End the reading as interrupted: the case is shown again."""
        return self._end("interrupted", reason)

    def settled(self, timeout_s: float = _SETTLE_S) -> bool:
        """Wait until everything so far is committed; False if that takes too long."""
        return self.live.settled(timeout_s) and self.writer.flush(timeout_s)

    def close(self, timeout_s: float = 60.0) -> Path | None:
        """End the session and copy the database to the study's backup folder; return the copy.

        Safe to call twice. It waits for the disk: call it from a worker.

        Raises
        ------
        NotCommitted
            If rows are still waiting for the database; they stay queued, call it again.
        DatabaseError
            If the backup fails; the session itself is then closed and committed.
        """
        if self.phase is Phase.CLOSED:
            return None
        if self._reading is not None:
            self.interrupt("the session was closed")
        self._services.close(timeout_s)
        self.phase = Phase.CLOSED
        return self.study.backup()

    def _details(self, case: CaseToRead) -> dict[str, Any]:
        """Return what a reading's row stores besides its columns from the start."""
        correction, drift_deg = self.setup.correction, self.setup.drift_deg
        found: dict[str, Any] = {"eye": self.live.eye}
        if self.tracker.info.kind in STAND_INS:
            found[STAND_IN] = self.tracker.info.kind
        if (against := self.setup.against_reading) is not None:
            found |= {READ_ANYWAY: against.text, NOTES: [against.as_note()]}
        if correction is not None:
            found["correction"] = asdict(correction)
        if drift_deg is not None:
            found["drift_deg"] = drift_deg
        if case.resumes_id is not None:
            found["resumed_after_s"] = self._ended.seconds_since(case.resumes_id)
        if case.reread is not None:
            found["reread"] = case.reread.as_details()
        return found

    def _calibrated(self, validation: ValidationResult | None) -> None:
        if self.phase is not Phase.CALIBRATING:
            return  # the session was closed meanwhile
        if validation is not None:
            self.setup.validated(validation)
        if self._run is not None and self._run.unchecked:
            self.setup.unchecked = self._run.unchecked
        self.phase = Phase.READY

    def _end(self, state: State, reason: str) -> str:
        reading = self._open_reading()
        self._ended.end(reading, state, reason)
        self.cases.mark(reading.case.case_id, state, reading.reading_id)
        self._reading, self.phase = None, Phase.READY
        return reading.reading_id

    def _open_reading(self) -> OpenReading:
        if self._reading is None:
            raise WrongStep(
                f"No case is being read (the session is {self.phase}). Begin one first."
            )
        return self._reading

    def _require(self, *phases: Phase) -> None:
        if self.phase not in phases:
            wanted = " or ".join(phases)
            raise WrongStep(f"The session is {self.phase}; this is possible when it is {wanted}.")
