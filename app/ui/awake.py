"""Sleep and screen saver are blocked while gaze is recorded, by the means of each system.

Windows: ``SetThreadExecutionState`` (learn.microsoft.com, winbase). macOS: ``caffeinate -d -i -w``
(its manual page). Linux: ``org.freedesktop.ScreenSaver`` and ``org.freedesktop.PowerManagement``
of the session's D-Bus (freedesktop.org, idle inhibition), and ``systemd-inhibit`` for sleep. What
the computer does not offer is left out, and the log says so.
"""

import ctypes
import logging
import os
import shutil
import subprocess
import sys
from typing import Any, Protocol

log = logging.getLogger(__name__)

WHY = "Gaze is being recorded"
_CONTINUOUS, _SYSTEM_REQUIRED, _DISPLAY_REQUIRED = 0x80000000, 0x1, 0x2
_DBUS_MS = 500
_CONNECTION = "foveate-awake"
_SERVICES = (
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.freedesktop.PowerManagement.Inhibit", "/org/freedesktop/PowerManagement/Inhibit"),
)
_SLEEP = ("systemd-inhibit", "--what=sleep:idle", "--who=Foveate", f"--why={WHY}", "--mode=block")


class Hold(Protocol):
    """One means of keeping the computer awake."""

    def release(self) -> None:
        """Let it sleep again."""


class KeepAwake:
    """Blocks sleep and screen saver between `hold` and `release`; for the GUI thread.

    Attributes
    ----------
    means
        The means in force, in words.
    """

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}

    @property
    def means(self) -> tuple[str, ...]:
        """The means in force, in words; "" where there are none."""
        return tuple(self._holds)

    def hold(self) -> None:
        """Block sleep; a second call does nothing."""
        if self._holds:
            return
        self._holds = _take()
        if self._holds:
            log.info("Sleep and screen saver are blocked: %s", ", ".join(self.means))
        else:
            log.warning("This system offers no means to block sleep and screen saver.")

    def release(self) -> None:
        """Let the computer sleep again; safe to call twice."""
        holds, self._holds = self._holds, {}
        for hold in holds.values():
            hold.release()


def _take() -> dict[str, Hold]:
    if sys.platform == "win32":
        return _Windows.take()
    if sys.platform == "darwin":
        return _Child.take(("caffeinate", "-d", "-i", "-w", str(os.getpid())))
    # `cat` ends when this process does, however it dies: its standard input is then closed.
    return _DBus.take() | _Child.take((*_SLEEP, "cat"))


class _Windows:
    """The execution state of this thread; it falls back by itself when the process ends."""

    @classmethod
    def take(cls) -> dict[str, Hold]:
        done = cls._set(_CONTINUOUS | _SYSTEM_REQUIRED | _DISPLAY_REQUIRED)
        return {"execution state": cls()} if done else {}

    def release(self) -> None:
        self._set(_CONTINUOUS)

    @staticmethod
    def _set(state: int) -> bool:
        kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009 (only Windows has it)
        return bool(kernel.SetThreadExecutionState(ctypes.c_uint(state)))


class _Child:
    """A program that keeps the computer awake while it runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @classmethod
    def take(cls, line: tuple[str, ...]) -> dict[str, Hold]:
        program = shutil.which(line[0])
        if program is None:
            return {}
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            [program, *line[1:]], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet
        )
        return {line[0]: cls(process)}

    def release(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _DBus:
    """Inhibitions of desktop services on a connection of our own.

    The services drop them when the connection ends, which is how they are released: `UnInhibit`
    needs an unsigned number, which PySide6 cannot send.
    """

    @classmethod
    def take(cls) -> dict[str, Hold]:
        try:
            from PySide6.QtDBus import QDBusConnection
        except ImportError:  # no libdbus on this system
            return {}
        bus = QDBusConnection.connectToBus(QDBusConnection.BusType.SessionBus, _CONNECTION)
        heard = [
            name for name, path in _SERVICES if bus.isConnected() and _inhibit(bus, name, path)
        ]
        if heard:
            return {", ".join(heard): cls()}
        QDBusConnection.disconnectFromBus(_CONNECTION)
        return {}

    def release(self) -> None:
        from PySide6.QtDBus import QDBusConnection

        QDBusConnection.disconnectFromBus(_CONNECTION)


def _inhibit(bus: Any, service: str, path: str) -> bool:
    from PySide6.QtDBus import QDBus, QDBusMessage

    message = QDBusMessage.createMethodCall(service, path, service, "Inhibit")
    message.setArguments(["Foveate", WHY])
    answer = bus.call(message, QDBus.CallMode.Block, _DBUS_MS)
    return bool(answer.type() == QDBusMessage.MessageType.ReplyMessage)
