"""`python -m tests.app.screenshots --out FOLDER`: the pictures of docs/images."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = (1280, 800)
_SCREEN = {"name": "one", "x": 0, "y": 0, "width": SIZE[0], "height": SIZE[1],
           "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}  # fmt: skip
_SPEED = 12.0


def main() -> int:
    """Make all pictures; 0 when each shows what it is there to show."""
    parser = argparse.ArgumentParser(prog="python -m tests.app.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    out = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        _describe_screen(Path(folder))
        _make(Path(folder), out)
    return 0


def _describe_screen(folder: Path) -> None:
    """Choose screen and configuration before Qt starts."""
    file = folder / "screen.json"
    file.write_text(json.dumps({"screens": [_SCREEN]}), encoding="utf-8")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={file}"
    for name in ("FOVEATE_CONFIG_DIR", "XDG_CONFIG_HOME", "HOME"):
        os.environ[name] = str(folder / "configuration")


def _make(folder: Path, out: Path) -> None:
    from tests.app.screenshots.fixed import fixed_names_and_dates
    from tests.app.screenshots.runs import add_results, compute
    from tests.app.screenshots.study import make_study

    with fixed_names_and_dates():
        study = make_study(folder / "study")
        add_results(study)
        exports = study.exports
        compute(study, "analyse", "--plain", "grid", "--out", str(exports / "analysis"))
        compute(study, "performance", "--positive", "mass", "--out", str(exports / "performance"))
        with _application() as application:
            _shoot(application, study, out)


@contextmanager
def _application() -> Iterator[object]:
    from PySide6.QtWidgets import QApplication

    from app.ui import theme

    application = QApplication(sys.argv[:1])
    theme.apply(application)
    application.setCursorFlashTime(0)  # a cursor that blinks is there in one of two pictures
    yield application


def _shoot(application, study, out: Path) -> None:
    from PySide6.QtCore import QPoint, QSize

    from app.demo.steps import Until, run_script
    from app.station import Station
    from tests.app.screenshots.keep import keep
    from tests.app.screenshots.reader import before_reading, reading
    from tests.app.screenshots.researcher import workspace

    station = Station(study, reader="R1", consented=True, speed=_SPEED, full_screen=False)
    station.sitting.offer_all()
    station.show()
    station.window.move(QPoint(0, 0))
    station.window.resize(QSize(*SIZE))

    def settled(name: str, *parts: str):
        """Wait until nothing on the window changes any more, then keep it."""
        seen: list[bytes] = []

        def is_still() -> bool:
            image = station.window.grab().toImage()
            seen.append(bytes(image.constBits()))
            del seen[:-4]
            return len(seen) == 4 and len(set(seen)) == 1

        yield Until(f"{name} to stand still", is_still, 30)
        keep(station.window, out / f"{name}.png", *parts)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()

    def all_of_it():
        yield from before_reading(station, settled)
        yield from workspace(station, settled)
        station.window.workspace_wanted.emit(False)
        yield from reading(station, settled)

    try:
        run_script(all_of_it())
    finally:
        station.close()
        station.window.close()


if __name__ == "__main__":
    sys.exit(main())
