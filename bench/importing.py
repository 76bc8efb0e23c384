"""Import of many small files: how fast, how fast at the end, and how much memory it takes.

`python -m bench.importing [FILES]` makes so many files (10,000) in a folder of its own, imports
them as the command does, and prints a line for the table in docs/benchmarks.md.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from app.demo.phantom_files import Encoding, dicom_file
from migrations.study.processes import MAIN

_SIDE = 64
_LOOK_EVERY_S = 0.25


@dataclass(slots=True)
class Measured:
    """What was seen of one import.

    Attributes
    ----------
    seconds_at
        When each file was done, seconds from the start.
    peak_bytes
        Most memory that the command and its decoder held together, resident.
    """

    seconds_at: list[float]
    peak_bytes: int = 0

    def rate(self, first: int, last: int) -> float:
        """Return files a second between two of them."""
        return (last - first) / (self.seconds_at[last - 1] - self.seconds_at[first])


def make_files(folder: Path, count: int) -> None:
    """Write DICOM files of 64 × 64 pixels, a hundred a folder, ten a patient."""
    random = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"{number // 100:04d}"
        place.mkdir(exist_ok=True)
        brightness = random.random((_SIDE, _SIDE), np.float32)
        brightness[0] = 0
        who = (f"P{number // 10}", f"Made^{number // 10}")
        encoding = Encoding(12, "MONOCHROME2", "explicit")
        dicom_file(place / f"IM{number:06d}", brightness, encoding, who, "L CC", number + 1)


def measured(folder: Path, study: Path) -> Measured:
    """Import a folder by the command; look at its memory meanwhile."""
    words = [sys.executable, str(MAIN), "import", "--study", str(study), "--json", str(folder)]
    began = time.perf_counter()
    found = Measured([])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as command:
        process, looked = psutil.Process(command.pid), 0.0
        assert command.stdout is not None
        for _ in command.stdout:
            now = time.perf_counter() - began
            found.seconds_at.append(now)
            if now - looked > _LOOK_EVERY_S:
                found.peak_bytes, looked = max(found.peak_bytes, _held(process)), now
    return found


def _held(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def main(count: int) -> None:
    """Make, import, print."""
    with tempfile.TemporaryDirectory() as folder:
        source, study = Path(folder) / "files", Path(folder) / "study"
        source.mkdir()
        make_files(source, count)
        new, again = measured(source, study), measured(source, study)
    for name, one in (("new", new), ("known", again)):
        part = min(1000, count // 2)
        sys.stdout.write(
            f"| {count:,} | {name} | {one.seconds_at[-1]:.0f} s | {one.rate(0, part):.0f} | "
            f"{one.rate(count - part, count):.0f} | {one.peak_bytes / 1e6:.0f} MB |\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
