"""Where the SDK runs: in this process, or in a bridge process under Python 3.10."""

import importlib
import itertools
import json
import logging
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from devices.errors import TrackerError, TrackerLost, TrackerNotFound
from devices.program import as_typed
from devices.tobii.bridge import FRAME
from devices.tobii.session import SdkSession

CALL_TIMEOUT_S = 30.0
START_TIMEOUT_S = 20.0

_log = logging.getLogger(__name__)


class SdkError(TrackerError):
    """A command that the SDK or the session refused; `kind` is the name of the error class."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


class Home(Protocol):
    """Where a session of the SDK runs; the commands are those of `session.SdkSession`."""

    def call(self, name: str, *arguments: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Run a command and return its answer; blocks."""

    def drain(self) -> tuple[bytes, list[dict[str, Any]]]:
        """Return rows of gaze and messages since the last call, without blocking."""

    def close(self) -> None:
        """Close tracker and home; safe to call twice."""


class OwnHome:
    """The SDK in this process.

    Raises
    ------
    TrackerNotFound
        If it cannot be imported here.
    """

    def __init__(self) -> None:
        self._session = SdkSession(load_sdk())

    def call(self, name: str, *arguments: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Run a command; the SDK's own timeout holds."""
        try:
            return self._session.call(name, list(arguments))
        except Exception as error:  # the SDK's errors have no common parent
            raise SdkError(type(error).__name__, str(error)) from error

    def drain(self) -> tuple[bytes, list[dict[str, Any]]]:
        """Return rows and messages."""
        return self._session.drain()

    def close(self) -> None:
        """Close the tracker."""
        self._session.close()


def load_sdk() -> ModuleType:
    """Return the module `tobii_research`.

    Raises
    ------
    TrackerNotFound
        If it is not installed or does not start here.
    """
    try:
        return importlib.import_module("tobii_research")
    except Exception as error:  # also what its compiled part raises
        raise TrackerNotFound(f"Tobii's SDK cannot be imported here ({error}).") from error


class BridgeHome:
    """The SDK in a process of its own under another interpreter.

    Parameters
    ----------
    python
        A Python 3.10 that has tobii-research.
    environment
        Of that process; None for this one's.
    """

    def __init__(self, python: Path, environment: Mapping[str, str] | None = None) -> None:
        self.python = python
        self._rows: deque[bytes] = deque()
        self._messages: deque[dict[str, Any]] = deque()
        self._answers: dict[int, dict[str, Any]] = {}
        self._news, self._ids = threading.Condition(), itertools.count()
        self._started: dict[str, Any] | None = None
        self._has_ended = False
        self._process = self._launch(environment)
        self._reader = threading.Thread(target=self._read, name="tobii bridge", daemon=True)
        self._reader.start()
        self._await_start()

    def call(self, name: str, *arguments: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Send a command and wait for its answer."""
        number = next(self._ids)
        line = json.dumps({"id": number, "name": name, "arguments": arguments}) + "\n"
        self._write(line.encode())
        with self._news:
            self._news.wait_for(lambda: number in self._answers or self._has_ended, timeout_s)
            answer = self._answers.pop(number, None)
        if answer is None:
            raise self._silence(f"did not answer {name!r} within {timeout_s:g} s")
        if "error" in answer:
            raise SdkError(answer["error"], answer["detail"])
        return answer["result"]

    def drain(self) -> tuple[bytes, list[dict[str, Any]]]:
        """Return rows and messages; a bridge that ended says so once."""
        rows = b"".join(self._rows.popleft() for _ in range(len(self._rows)))
        messages = [self._messages.popleft() for _ in range(len(self._messages))]
        return rows, messages

    def close(self) -> None:
        """End the process: its input ends, and so does it."""
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            try:
                process.stdin.close()
            except OSError:
                _log.debug("The bridge had already ended.")
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(5)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def _launch(self, environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("bridge.py")
        try:
            return subprocess.Popen(
                [str(self.python), "-u", str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=None if environment is None else dict(environment),
            )
        except OSError as error:
            raise TrackerNotFound(
                as_typed(
                    f"The Python for Tobii's SDK, {self.python}, cannot be started ({error}). Run "
                    "python main.py devices setup-tobii"
                )
            ) from error

    def _await_start(self) -> None:
        with self._news:
            self._news.wait_for(lambda: self._started or self._has_ended, START_TIMEOUT_S)
        started = self._started or {"event": "failed", "detail": "it ended without a message"}
        if started["event"] == "failed":
            self.close()
            raise TrackerNotFound(
                as_typed(
                    f"Tobii's SDK cannot be imported in {self.python} ({started['detail']}). Run: "
                    "python main.py devices setup-tobii"
                )
            )

    def _write(self, line: bytes) -> None:
        stdin = self._process.stdin
        try:
            if stdin is None or stdin.closed:
                raise BrokenPipeError("closed")
            stdin.write(line)
            stdin.flush()
        except OSError as error:
            raise self._silence("has ended") from error

    def _silence(self, what: str) -> TrackerLost:
        return TrackerLost(
            f"The Tobii bridge (process {self._process.pid}) {what}. Connect the tracker again."
        )

    def _read(self) -> None:
        stdout = self._process.stdout
        while stdout is not None:
            head = stdout.read(FRAME.size)
            if len(head) < FRAME.size:
                break
            kind, length = FRAME.unpack(head)
            content = stdout.read(length)
            if kind == b"G":
                self._rows.append(content)
            else:
                self._take(json.loads(content))
        self._messages.append({"event": "ended"})
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        event = message["event"]
        if event not in ("answer", "ready", "failed"):
            self._messages.append(message)
            return
        with self._news:
            if event == "answer":
                self._answers[message["id"]] = message
            else:
                self._started = message
            self._news.notify_all()
