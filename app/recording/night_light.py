"""Whether the system tints the screen, if it reveals that: GNOME and Windows do.

Elsewhere (other Linux desktops, macOS), and for HDR, no system call reports it reliably; the
station then asks its user.
"""

import shutil
import subprocess
import sys

_GNOME = ("gsettings", "get", "org.gnome.settings-daemon.plugins.color", "night-light-enabled")
_WINDOWS_KEY = (
    r"Software\Microsoft\Windows\CurrentVersion\CloudStore\Store\DefaultAccount\Current"
    r"\default$windows.data.bluelightreduction.bluelightreductionstate"
    r"\windows.data.bluelightreduction.bluelightreductionstate"
)
_STATE_BYTE, _ON = 18, 0x15
_TIMEOUT_S = 2.0


def night_light() -> bool | None:
    """Return whether night light is on; None if the system does not say. May take a second."""
    if sys.platform == "win32":
        return _on_windows()
    return _on_gnome()


def _on_gnome() -> bool | None:
    if shutil.which(_GNOME[0]) is None:
        return None
    try:
        done = subprocess.run(
            _GNOME, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"true": True, "false": False}.get(done.stdout.strip())


if sys.platform == "win32":
    import winreg

    def _on_windows() -> bool | None:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _WINDOWS_KEY) as key:
                data, _ = winreg.QueryValueEx(key, "Data")
        except OSError:
            return None
        return len(data) > _STATE_BYTE and data[_STATE_BYTE] == _ON
