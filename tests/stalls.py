"""How long this machine lets a thread that wants to run wait: a bound in real time grows by it."""

import threading
import time
from typing import Self

_NAP_S = 0.005
_IN_A_ROW = 5
"""What is measured passes through a few threads and processes, each of which may have to wait."""


class Stalls:
    """Measures while the block lasts; on an idle machine it finds a few milliseconds."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._nap, name="stalls", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def slack_s(self) -> float:
        """How much later than on an idle machine something may come."""
        return _IN_A_ROW * self._longest_s

    @property
    def slack_us(self) -> float:
        """As `slack_s`."""
        return 1e6 * self.slack_s

    def _nap(self) -> None:
        while not self._ended.is_set():
            began = time.perf_counter()
            time.sleep(_NAP_S)
            self._longest_s = max(self._longest_s, time.perf_counter() - began - _NAP_S)
