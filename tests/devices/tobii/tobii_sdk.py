"""Tobii's own Python layer for tests: fetched by pip into a cache, never committed.

Its compiled part is replaced by `tobii_stand_in`, so that it runs on any Python and as a tracker.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from devices.tobii.interpreters import REQUIREMENT


def fetch(folder: Path) -> Path | str:
    """Return a folder to import the SDK from; a reason where pip cannot get it."""
    wheels = folder / "wheels"
    if not list(wheels.glob("*.whl")):
        words = [
            "download",
            "-q",
            "--no-deps",
            "--python-version",
            "3.10",
            "--only-binary",
            ":all:",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *words, "-d", str(wheels), REQUIREMENT],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return f"pip cannot get {REQUIREMENT}: {(done.stderr.splitlines() or ['?'])[-1]}"
    return _unpacked(next(wheels.glob("*.whl")), folder / "python")


def _unpacked(wheel: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            inside = name.partition("/purelib/")[2] or name
            if inside.endswith(".py"):
                place = target / inside
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(archive.read(name))
    stand_in = Path(__file__).with_name("tobii_stand_in.py")
    shutil.copy(stand_in, target / "tobiiresearch/interop/python3/tobii_research_interop.py")
    return target
