"""What happens on a bug in the program: it is logged with a traceback and reported."""

import logging
import sys
from collections.abc import Callable
from types import TracebackType

from app.ui.text import tr

log = logging.getLogger(__name__)

ShowError = Callable[[str, str], object]


class BugHook:
    """Replaces `sys.excepthook` until `remove`; Qt calls it for errors in slots."""

    def __init__(self, show_error: ShowError) -> None:
        self._show_error = show_error
        self._before = sys.excepthook
        sys.excepthook = self._caught

    def remove(self) -> None:
        """Put the earlier hook back."""
        sys.excepthook = self._before

    def _caught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception):
            self._before(kind, error, trace)
            return
        log.critical("An unexpected error.", exc_info=(kind, error, trace))
        safe = tr("Everything recorded so far is safe. The station's log has the details.")
        self._show_error(
            tr("Something went wrong in Foveate"), f"{kind.__name__}: {error}\n\n{safe}"
        )
