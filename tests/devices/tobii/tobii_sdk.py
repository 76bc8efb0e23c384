"""Tobii's own Python layer for tests: fetched by pip into a cache, never committed.

Its compiled part is replaced by `tobii_stand_in`, so that it runs on any Python and as a tracker.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from devices.tobii.interpreters import REQUIREMENT


def fetch(cache: Path, folder: Path) -> Path | str:
    """Return a folder to import the SDK from, made in `folder`; a reason where pip cannot get it.

    The wheel is kept in `cache`, which other processes may fill at the same time.
    """
    if not list(cache.glob("*.whl")):
        done = _download(folder / "wheels")
        if done.returncode:
            return f"pip cannot get {REQUIREMENT}: {(done.stderr.splitlines() or ['?'])[-1]}"
        cache.mkdir(parents=True, exist_ok=True)
        for wheel in (folder / "wheels").glob("*.whl"):
            partial = shutil.copy(wheel, cache / f"{wheel.name}.{os.getpid()}")
            os.replace(partial, cache / wheel.name)
    return _unpacked(next(cache.glob("*.whl")), folder / "python")


def _download(target: Path) -> subprocess.CompletedProcess[str]:
    words = ["download", "-q", "--no-deps", "--python-version", "3.10", "--only-binary", ":all:"]
    line = [sys.executable, "-m", "pip", *words, "-d", str(target), REQUIREMENT]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def _unpacked(wheel: Path, target: Path) -> Path:
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
