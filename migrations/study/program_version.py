"""Which Foveate this is: its version, and the commit where it runs from a checkout."""

import platform
import subprocess

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
    """Return the commit of a checkout (`-dirty` where files were changed), or `of a package`."""
    folder = MAIN.parent
    if not (folder / ".git").exists():
        return "of a package"
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
