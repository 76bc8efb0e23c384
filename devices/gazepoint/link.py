"""One connection to Gazepoint Control: a thread that only queues what arrives, and requests."""

import contextlib
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from devices.errors import TrackerError, TrackerLost, TrackerNotFound
from devices.gazepoint.lines import Line, LineCutter, command, read_line

ANSWER_S = 1.0
_RECEIVE = 65_536

Address = tuple[str, int]


class Refused(TrackerError):
    """Gazepoint Control answered NACK."""


class Unanswered(TrackerError):
    """Gazepoint Control did not answer in time."""


class Link:
    """One open connection.

    Parameters
    ----------
    address
        Host and port of Gazepoint Control.
    now_us
        The clock by which arrivals are stamped, in real microseconds.
    timeout_s
        For the connection to be made.

    Attributes
    ----------
    records
        (arrival_us, line) of each record, as text.
    updates
        What Control says of its screens.
    calibration
        (arrival_us, line) of each step of a calibration.
    malformed
        Lines that cannot be read.
    stepped_s
        `time.monotonic()` of the last step of a calibration.
    ended
        Set once the connection is cut.

    Raises
    ------
    TrackerNotFound
        If nothing listens there.
    """

    def __init__(self, address: Address, now_us: Callable[[], float], timeout_s: float) -> None:
        self.address = address
        self.records: deque[tuple[float, str]] = deque()
        self.updates: deque[Line] = deque()
        self.calibration: queue.Queue[tuple[float, Line]] = queue.Queue()
        self.malformed: deque[str] = deque()
        self.ended = threading.Event()
        self.now_us = now_us
        self.stepped_s = float("-inf")
        self._answers: queue.Queue[Line] = queue.Queue()
        self._asking = threading.Lock()
        try:
            self._socket = socket.create_connection(address, timeout_s)
        except (OSError, UnicodeError) as error:
            raise TrackerNotFound(
                f"Gazepoint Control does not respond at {place(address)} ({error})."
            ) from error
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._listen, name="gazepoint", daemon=True).start()

    def ask(
        self, verb: str, id_: str, *, timeout_s: float = ANSWER_S, **values: object
    ) -> dict[str, str]:
        """Set or get a value and return the content of the answer. Blocks.

        Raises
        ------
        Refused
            If the answer is NACK.
        Unanswered
            If there is none in time.
        TrackerLost
            If the connection is cut.
        """
        with self._asking:
            while not self._answers.empty():  # too late for what they answered
                self._answers.get_nowait()
            self.tell(verb, id_, **values)
            return self._answer(verb, id_, time.monotonic() + timeout_s)

    def tell(self, verb: str, id_: str, **values: object) -> None:
        """Send a command whose answer is ignored.

        Raises
        ------
        TrackerLost
            If the connection is cut.
        """
        try:
            self._socket.sendall(command(verb, id_, **values))
        except OSError as error:
            self.ended.set()
            raise self._lost() from error

    def step(self, timeout_s: float, is_wanted: Callable[[], bool]) -> tuple[float, Line]:
        """Return the next step of a calibration and its arrival. Blocks.

        Raises
        ------
        Unanswered
            If none arrives in time, or it is no longer wanted.
        TrackerLost
            If the connection is cut meanwhile.
        """
        give_up_s = time.monotonic() + timeout_s
        while time.monotonic() < give_up_s:
            if not is_wanted():
                raise Unanswered("The calibration was cancelled.")
            with contextlib.suppress(queue.Empty):
                return self.calibration.get(timeout=0.05)
            if self.ended.is_set() and self.calibration.empty():
                raise self._lost()
        raise Unanswered(
            f"Gazepoint Control did not report on its calibration for {timeout_s:g} s."
        )

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self.ended.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _answer(self, verb: str, id_: str, give_up_s: float) -> dict[str, str]:
        while (left_s := give_up_s - time.monotonic()) > 0:
            try:
                line = self._answers.get(timeout=min(left_s, 0.05))
            except queue.Empty:
                if self.ended.is_set():
                    raise self._lost() from None
                continue
            if line.id != id_:
                continue
            if line.kind == "NACK":
                raise Refused(f"Gazepoint Control at {place(self.address)} refused {verb} {id_}.")
            return line.values
        raise Unanswered(
            f"Gazepoint Control at {place(self.address)} did not answer {verb} {id_}. Restart it."
        )

    def _listen(self) -> None:
        cutter = LineCutter()
        while True:
            try:
                received = self._socket.recv(_RECEIVE)
            except OSError:
                received = b""
            if not received:
                self.ended.set()
                return
            arrived_us = self.now_us()
            for text in cutter.feed(received):
                if text.startswith("<REC"):
                    self.records.append((arrived_us, text))
                else:
                    self._sort(arrived_us, text)

    def _sort(self, arrived_us: float, text: str) -> None:
        line = read_line(text)
        if line is None:
            self.malformed.append(text)
        elif line.kind == "CAL":
            self.stepped_s = time.monotonic()
            self.calibration.put((arrived_us, line))
        elif line.kind == "UPDATE":
            self.updates.append(line)
        else:
            self._answers.put(line)

    def _lost(self) -> TrackerLost:
        return TrackerLost(
            f"The connection to Gazepoint Control at {place(self.address)} was lost."
        )


def place(address: Address) -> str:
    """Return an address as it is written."""
    return f"{address[0]}:{address[1]}"
