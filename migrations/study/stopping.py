"""How a command ends on request: within seconds, with its children, without a traceback.

SIGINT to the process alone (or SIGTERM) interrupts the work wherever it is; `run_command` then ends
with exit code 3 and one line. If the work does not react, in native code or in a thread, a watch
ends the process and its children after 4 s.
"""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import psutil

from migrations.study.command_line import FAILED, STOPPED, WRONG
from migrations.study.errors import NotAStudy
from migrations.study.missing_library import missing_text
from migrations.study.processes import as_typed, birth_of, living
from migrations.study.told_events import told
from migrations.study.unwritable import disk_full_text, is_disk_full

END_WITH = "FOVEATE_END_WITH"
"""Names a process, as PID:BIRTH, with which a command ends: the demo sets it for its trainer."""
WITHIN_S = 4.0
_WATCH_S = 1.0
_STOPPED_TEXT = "Stopped."


class Interruption:
    """The request to end this process, and the watch that enforces it.

    Attributes
    ----------
    asked
        Whether SIGINT or SIGTERM was received.
    """

    def __init__(self) -> None:
        self.asked = False

    def hear(self) -> None:
        """Listen for SIGINT and SIGTERM from now on; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            end_within(WITHIN_S)
        raise KeyboardInterrupt


def end_within(seconds: float, text: str = _STOPPED_TEXT) -> None:
    """End this process and its children with exit code 3, unless it has ended by itself by then."""
    watch = threading.Timer(seconds, _end_at_once, (text,))
    watch.daemon = True
    watch.start()


def run_command(run: Callable[[], int]) -> int:
    """Run a command and return its exit code, even if it is stopped or its disk is full.

    Every error that a command does not explain itself ends here; a bug keeps its traceback.
    """
    interruption = Interruption()
    interruption.hear()
    _end_with_named()
    try:
        code = run()
    except KeyboardInterrupt:
        code = _stopped()
    except NotAStudy as error:
        code = _failed(str(error), WRONG)
    except BaseException as error:
        # An interrupted import or library may turn it into an error of its own.
        if interruption.asked:
            code = _stopped()
        elif isinstance(error, OSError) and is_disk_full(error):
            code = _failed(disk_full_text(error), FAILED)
        elif isinstance(error, ImportError) and (text := missing_text(error)):
            code = _failed(text, FAILED)
        else:
            raise
    if interruption.asked:
        end_children()
        code = STOPPED if code else code
    return code


@contextlib.contextmanager
def listened(events: str) -> Iterator[None]:
    """Report the work in the block to a station, and let its line `stop` interrupt it like SIGINT.

    Parameters
    ----------
    events
        "json" if a station is listening, "text" if not.
    """
    with told(events), contextlib.ExitStack() as stack:
        if events == "json":
            over = threading.Event()
            stack.callback(over.set)
            _interrupt_on_a_line(over)
        yield


def _interrupt_on_a_line(over: threading.Event) -> None:
    # Windows has no SIGINT for a process without a console, but a line on a pipe works everywhere.
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):  # no standard input at all
        return

    def wait() -> None:
        rest = b""
        with contextlib.suppress(OSError):
            # Bypasses Python's buffer: a daemon thread that holds its lock aborts the interpreter.
            while data := os.read(number, 4096):
                *lines, rest = (rest + data).split(b"\n")
                if not over.is_set() and any(line.strip() == b"stop" for line in lines):
                    _thread.interrupt_main()

    threading.Thread(target=wait, name="stop-listener", daemon=True).start()


def end_children() -> None:
    """End all processes that this one started, and their children."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()


@contextlib.contextmanager
def ending_together() -> Iterator[None]:
    """Make commands started in the block end when this process does, however it ends."""
    os.environ[END_WITH] = f"{os.getpid()}:{birth_of(os.getpid())}"
    try:
        yield
    finally:
        os.environ.pop(END_WITH, None)


def _stopped() -> int:
    _write(f"\n{_STOPPED_TEXT}\n")
    return STOPPED


def _failed(text: str, code: int) -> int:
    _write(f"{as_typed(text)}\n")
    return code


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no standard error, or closed
        sys.stderr.write(text)
        sys.stderr.flush()


def _end_at_once(text: str) -> None:
    # Python may be in the middle of a write; the system call does not wait for a lock.
    end_children()
    with contextlib.suppress(OSError):
        os.write(2, f"\n{text}\n".encode())
    os._exit(STOPPED)


def _end_with_named() -> None:
    pid, _, birth = os.environ.get(END_WITH, "").partition(":")
    with contextlib.suppress(ValueError):
        owner = int(pid), float(birth)
        threading.Thread(target=_watch, args=owner, name="end-with", daemon=True).start()


def _watch(pid: int, birth: float) -> None:
    if pid == os.getpid():
        return
    while living(pid, birth) is not None:
        time.sleep(_WATCH_S)
    end_children()
    os._exit(STOPPED)
