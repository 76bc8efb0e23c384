"""Which Foveate this is: its version, and the commit where it runs from a checkout."""

import platform
import subprocess
from pathlib import Path

from migrations.study.database import foveate_version
from migrations.study.processes import MAIN

_GIT_S = 5.0


def version_text() -> str:
    """Return one line: version, build, Python and system."""
    return (
        f"Foveate {foveate_version()}, build {build()}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}"
    )


def build() -> str:
    """Return the commit of a checkout (`-dirty` if files were changed) or of a built package."""
    folder = MAIN.parent
    if not (folder / ".git").exists():
        return _of_package()
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "of a checkout whose commit git does not tell"
    return done.stdout.strip()


def _of_package() -> str:
    """Return the commit that setup.py wrote while the package was built."""
    path = Path(__file__).with_name("build.txt")
    return path.read_text(encoding="utf-8").strip() if path.is_file() else "unknown"
