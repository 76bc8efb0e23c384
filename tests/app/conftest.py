"""What the tests of the station share: an offscreen desktop of a known size, a small study."""

import json
import os
import sys
import tempfile
from pathlib import Path

_SCREEN = {
    "name": "test",
    "x": 0,
    "y": 0,
    "width": 1280,
    "height": 800,
    "logicalDpi": 96,
    "logicalBaseDpi": 96,
    "dpr": 1,
}


def _describe_screen() -> None:
    # Qt's offscreen desktop is 800 × 800 unless a file says otherwise.
    file = Path(tempfile.gettempdir()) / f"foveate-test-screen-{os.getpid()}.json"
    file.write_text(json.dumps({"screens": [_SCREEN]}), encoding="utf-8")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={file.as_posix()}"


if os.environ.get("QT_QPA_PLATFORM") == "offscreen" and sys.platform != "win32":
    _describe_screen()
