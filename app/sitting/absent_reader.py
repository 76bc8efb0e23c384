"""If the eyes are gone for long in a case, images are hidden and the reader's code is asked for.

A colleague who leans in meanwhile has not agreed to be recorded.
"""

from PySide6.QtCore import QObject

from app.pages.reading.page import ReadingPage
from app.recording.session import ReadingSession
from app.ui.text import tr, trn


class AbsentReaderWatch(QObject):
    """Checked a few times a second (`check`)."""

    def __init__(self, page: ReadingPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._session: ReadingSession | None = None
        self._confirmed_us = 0
        page.code_given.connect(self._given)

    def follow(self, session: ReadingSession | None) -> None:
        """Watch this session; None for none."""
        self._session, self._confirmed_us = session, 0

    def check(self) -> None:
        """Pause the reading if no one was seen for as long as the study says."""
        session = self._session
        if session is None or self._page.state != "reading":
            return
        limit_s = session.study.settings.absence_s
        now_us = session.clock.now_us()
        gone_us = min(session.recorder.status().lost_for_us, now_us - self._confirmed_us)
        if limit_s > 0 and gone_us >= 1e6 * limit_s:
            session.note_absence(gone_us)
            self._page.ask_code(
                trn(
                    "The tracker has not seen your eyes for {count} second. "
                    "Type your code to bring the images back.",
                    "The tracker has not seen your eyes for {count} seconds. "
                    "Type your code to bring the images back.",
                    round(limit_s),
                )
            )

    def _given(self, code: str) -> None:
        session = self._session
        if session is None:
            return
        if code.casefold() == session.reader.casefold():
            self._confirmed_us = session.clock.now_us()
            self._page.code_accepted()
        else:
            wrong = tr(
                "That is not the code of this session's reader. If you are someone else, "
                "choose Leave and start a session of your own."
            )
            self._page.ask_code(wrong)
