"""`python main.py [--study FOLDER]`: the reading station."""

import argparse
import contextlib
import ctypes
import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.crash_log import watch_crashes
from app.ui.offscreen import has_screen
from devices.gaze.errors import GazeError
from migrations.study.command_line import CommandParser, existing_study, finite_number
from migrations.study.errors import StudyError
from migrations.study.processes import as_typed
from migrations.study.this_computer import log_folder

if TYPE_CHECKING:
    from app.shell.window import MainWindow
    from app.station import Station
    from app.sync.background import ServerPush

log = logging.getLogger(__name__)

QT_MISSING = (
    "Foveate's window needs libraries that are missing from this system. On Debian and Ubuntu:\n "
    " sudo apt-get install -y libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 "
    "libglib2.0-0 fonts-dejavu-core\n"
)
XCB_MISSING = (
    "Foveate's window needs X11 libraries that are missing from this system. On Debian and "
    "Ubuntu:\n  sudo apt-get install -y libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 "
    "libxcb-shape0 libxkbcommon-x11-0\n"
)
XCB_LIBRARIES = (
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-keysyms.so.1",
    "libxcb-shape.so.0",
    "libxkbcommon-x11.so.0",
)
"""What Qt's X11 plugin needs beyond what importing Qt needs: if one is missing, Qt ends the process
(each was tried on a bare Debian 12)."""
PYSIDE_MISSING = as_typed(
    'Foveate\'s window needs PySide6, which is not installed here:\n  pip install -e ".[station]"\n'
)
NO_SCREEN = as_typed(
    "There is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set), so no one can read. "
    "Start the station on a desktop. `python main.py --demo` and `python main.py --train` do "
    "not need a screen.\n"
)


def main(argv: Sequence[str]) -> int:
    """Open the station; 0 when its window was closed, 1 when it could not be opened."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.speed != 1 and arguments.device != "simulated":
        parser.error("--speed only works with the simulated reader; people read in real time.")
    if not has_screen():
        sys.stderr.write(NO_SCREEN)
        return 1
    problem = qt_problem()
    if problem:
        sys.stderr.write(problem)
        return 1
    with logged():
        return _run(arguments)


def qt_problem() -> str:
    """Return why Qt cannot be imported and what to do; "" when it can."""
    try:
        import PySide6.QtWidgets  # noqa: F401
    except ModuleNotFoundError:
        return PYSIDE_MISSING
    except ImportError as error:
        return f"{QT_MISSING}({error})\n"
    missing = _missing_x_libraries()
    return f"{XCB_MISSING}({', '.join(missing)})\n" if missing else ""


def _missing_x_libraries() -> list[str]:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return []
    under_x = "DISPLAY" in os.environ and not os.environ.get("WAYLAND_DISPLAY")
    return [name for name in XCB_LIBRARIES if not _loads(name)] if under_x else []


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def logged() -> Iterator[None]:
    """Write the log of this computer's station; it never names a patient or a patient's file."""
    handler, root = _log_handler(), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_names_nobody)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    watch_crashes("station")
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _names_nobody(record: logging.LogRecord) -> bool:
    """Tell whether a line may be logged: pydicom's lines quote the values they find odd."""
    return record.name.partition(".")[0] not in ("pydicom", "pynetdicom")


def _log_handler() -> logging.Handler:
    folder = log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return logging.handlers.RotatingFileHandler(
            folder / "station.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8"
        )
    except OSError:
        return logging.StreamHandler(sys.stderr)


def first_window() -> "MainWindow":
    """Show the empty window; whatever takes longer to load comes later."""
    from PySide6.QtWidgets import QApplication

    from app.shell.window import MainWindow
    from app.ui import theme

    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    theme.apply(application)
    window = MainWindow()
    window.show()
    application.processEvents()
    return window


def _run(arguments: argparse.Namespace) -> int:
    from PySide6.QtWidgets import QApplication

    window = first_window()
    try:
        station = _station(window, arguments)
    except (StudyError, GazeError) as error:
        log.exception("The station could not be opened.")
        window.close()
        return _refuse(str(error))
    _close_on_signals(window)
    pusher = _pusher(station, arguments.database)
    station.show()
    code = QApplication.exec()
    if pusher is not None:
        pusher.close()
    station.close()
    return int(code)


def _close_on_signals(window: "MainWindow") -> None:
    # Ctrl+C and SIGTERM end the station as closing its window does: everything is saved first.
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda _number, _frame: window.close())


def _station(window: "MainWindow", arguments: argparse.Namespace) -> "Station":
    from app.station import Station
    from migrations.study.folder import Study

    study = Study.open(arguments.study, durable=True) if arguments.study else None
    return Station(
        study,
        window=window,
        device_id=arguments.device,
        rate_hz=arguments.rate,
        reader=arguments.reader,
        speed=arguments.speed,
    )


def _pusher(station: "Station", url: str | None) -> "ServerPush | None":
    """Send finished sessions to the laboratory's server, if one is named."""
    from app.sync import URL_VARIABLE
    from app.sync.background import ServerPush

    if url:  # for the process that pushes; not on its command line, which others can see
        os.environ[URL_VARIABLE] = url
    if not os.environ.get(URL_VARIABLE):
        return None
    sessions = station.sitting.sessions
    pusher = ServerPush(lambda: station.study, lambda: sessions.busy, station)
    sessions.closed.connect(pusher.push)
    return pusher


def _refuse(text: str) -> int:
    """Tell why there is no station: on standard error, and in a dialog where possible."""
    sys.stderr.write(f"{text}\n")
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QMessageBox

    if QGuiApplication.platformName() not in ("offscreen", "minimal"):
        QMessageBox.critical(None, "Foveate", text)
    return 1


def _positive(text: str) -> float:
    value = finite_number(text)
    if not 0 < value < 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0 and below 1000")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py",
        description="Open the reading station. For research, not for diagnosis.",
        example="python main.py --study my-study --reader R1",
    )
    parser.add_argument(
        "--study", type=existing_study, metavar="FOLDER",
        help="open this study (default: choose one on the start page)",
    )  # fmt: skip
    parser.add_argument(
        "--reader", metavar="PSEUDONYM", help="who reads (default: chosen on the worklist)"
    )
    parser.add_argument(
        "--device",
        default="",
        metavar="ID",
        help="tracker ID (see python main.py devices); default: the last one used at this station, "
        "or else the only one attached. The simulated reader and the mouse must be named",
    )
    parser.add_argument(
        "--rate", type=_positive, metavar="HZ", help="sampling rate (default: the tracker's own)"
    )
    parser.add_argument(
        "--speed", type=_positive, default=1.0, metavar="X",
        help="run the clock at X times real time (simulated reader only)",
    )  # fmt: skip
    parser.add_argument(
        "--database",
        metavar="URL",
        help="server to which finished sessions are pushed (default: FOVEATE_DATABASE_URL)",
    )
    return parser
