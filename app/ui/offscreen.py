"""A monitor in memory, for a computer without a screen."""

import json
import os
import sys
from pathlib import Path

_MONITOR = {
    "name": "Offscreen monitor", "x": 0, "y": 0, "width": 1920, "height": 1080,
    "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1,
}  # fmt: skip


def has_screen() -> bool:
    """Return whether Qt has somewhere to show a window."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def choose_screen(config: Path, *, headless: bool) -> None:
    """Use an offscreen monitor if asked to, without a screen, or if Qt was told to without one."""
    if headless or not has_screen() or os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        go_offscreen(config)


def go_offscreen(config: Path) -> None:
    """Make Qt draw into memory, on a monitor of usual size: its own is 800 × 800.

    Parameters
    ----------
    config
        File that describes the monitor; written here and read by Qt when it starts.
    """
    config.write_text(json.dumps({"screens": [_MONITOR]}), encoding="utf-8")
    # A drive's colon would end the plug-in's argument; Windows has a screen of its own anyway.
    named = sys.platform != "win32" and ":" not in str(config)
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={config}" if named else "offscreen"
