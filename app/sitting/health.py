"""The state of the recording in a few words, for the strip and the navigation."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.recording.recorder_status import TRACKER_GONE, RecorderStatus
from app.recording.session import ReadingSession
from app.ui.text import told, tr, trn
from devices.gaze.rating import LEAST_SILENCE_S

_EVERY_MS = 250
_ALARM_AFTER_US = 5_000_000
"""Loss in the first seconds of a case means little."""
_UNASKED_S = 5.0
"""A recorder polls its tracker many times a second."""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a recording.

    Attributes
    ----------
    text
        A few words.
    warn
        Whether the reader has to know now.
    detail
        The full explanation with what to do; "" if `text` says everything.
    shorter
        Short form of `text` for narrow places; "" if it is short already.
    """

    text: str
    warn: bool = False
    detail: str = ""
    shorter: str = ""


class HealthWatch(QObject):
    """Checks an open session a few times a second.

    Signals
    -------
    checked : object
        The `Health` of the session, at every check, changed or not.
    """

    checked = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._session: ReadingSession | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.check)

    def follow(self, session: ReadingSession | None) -> None:
        """Watch this session; None for none."""
        self._session = session
        if session is None:
            self._timer.stop()
        else:
            self._timer.start()
            self.check()

    def check(self) -> None:
        """Check now."""
        if self._session is not None:
            self.checked.emit(health_of(self._session))


def health_of(session: ReadingSession) -> Health:
    """Return the state of a session's recording; cheap, waits for nothing."""
    status, writer = session.recorder.status(), session.writer
    saving = tr(writer.brief) if writer.brief else ""
    waiting = told(said) if (said := writer.said) is not None else ""
    if status.device_lost:
        text = tr("Tracker disconnected: check its cable. Recording resumes when it is back.")
        gone = tr(TRACKER_GONE, name=session.tracker.info.name)
        return Health(
            f"{text} {saving}".strip(), True, f"{gone} {waiting}".strip(),
            tr("Tracker disconnected"),
        )  # fmt: skip
    if saving:
        return Health(saving, True, waiting, tr("Saving waits"))
    if status.problem:
        return Health(tr("The tracker cannot be read."), True, tr(status.problem))
    if status.recording and status.unasked_s > _UNASKED_S:
        text = tr("The computer is too busy to read the tracker.")
        return Health(text, True, _unasked(status), tr("Computer too busy"))
    lost_s = status.lost_for_us / 1e6
    if status.recording and lost_s > session.study.settings.lost_sign_s:
        return Health(tr("No gaze for {seconds:.0f} s", seconds=lost_s), True, _figures(session))
    alarm = _loss_alarm(session)
    if alarm:
        return Health(alarm, True, _figures(session), tr("Gaze lost"))
    return Health(tr("Tracking") if status.recording else tr("Saving…"), detail=_figures(session))


def _unasked(status: RecorderStatus) -> str:
    return tr(
        "The tracker was last read {seconds:.0f} s ago. Close other programs; if nothing changes, "
        "the tracker or its driver does not respond: end the session and reconnect it.",
        seconds=status.unasked_s,
    )


def _loss_alarm(session: ReadingSession) -> str:
    figures = session.live.status().figures
    if figures is None or figures.duration_us < _ALARM_AFTER_US:
        return ""
    if figures.loss <= session.study.settings.loss_alarm:
        return ""
    if figures.silent_s < LEAST_SILENCE_S:
        return tr("Gaze lost {loss:.0%} of the time in this case", loss=figures.loss)
    return tr(
        "Gaze lost {loss:.0%} of the time in this case, tracker silent for {silent:.1f} s",
        loss=figures.loss, silent=figures.silent_s,
    )  # fmt: skip


def _figures(session: ReadingSession) -> str:
    """Return the detailed figures of the recording."""
    status, figures = session.recorder.status(), session.live.status().figures
    lines = [
        tr(
            "{rate:.0f} samples/s, {received:,} received, {saved:,} saved, {missing:,} missing",
            rate=status.rate_hz, received=status.sample_count,
            saved=status.committed_count, missing=status.missing_count,
        ),
        trn("{count} write pending", "{count} writes pending", status.queue_depth),
    ]  # fmt: skip
    if figures is not None and figures.jitter_us is not None:
        lines.append(
            tr(
                "This case: {loss:.1%} of gaze lost, gaps: {gaps}, longest gap {longest:.0f} ms, "
                "jitter {jitter:.0f} µs",
                loss=figures.loss, gaps=f"{figures.gap_count:,}",
                longest=figures.longest_gap_us / 1e3, jitter=figures.jitter_us,
            )
        )  # fmt: skip
    return "\n".join(lines)
