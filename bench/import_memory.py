"""Memory and rate of reading large files of gaze: `python bench/import_memory.py [MB …]`.

Made files of csv, tsv (Tobii) and asc are read by `ReadingProcess`, each in a new process, and the
readings thrown away: the peak is that of the process that reads. Storing them is not measured.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from app.interchange.options import ImportOptions
from app.interchange.reading_process import ReadingProcess
from devices.gaze.geometry import ScreenGeometry

SAMPLES = 30_000
"""In each reading: 30 s at 1 kHz."""
TOBII = (
    "Recording timestamp [ms]\tSensor\tParticipant name\tRecording resolution height [px]\t"
    "Recording resolution width [px]\tGaze point X [DACS px]\tGaze point Y [DACS px]\t"
    "Validity left\tValidity right\tPresented Media name\tPresented Media width [px]\t"
    "Presented Media height [px]\tPresented Media position X [DACS px]\t"
    "Presented Media position Y [DACS px]\n"
)


def _csv(number: int) -> Iterator[str]:
    for k in range(SAMPLES):
        time_ms, x, y = number * 40_000 + k, 500 + k % 97, 400 + k % 89
        yield f"img{number}.png,R{number % 7},{time_ms},{x}.25,{y}.5,1\n"


def _tsv(number: int) -> Iterator[str]:
    for k in range(SAMPLES):
        yield (
            f"{number * 40_000 + k}\tEye Tracker\tP{number % 7}\t1080\t1920\t{600 + k % 97}\t"
            f"{400 + k % 89}\tValid\tValid\timg{number}.png\t1000\t800\t460\t140\n"
        )


def _asc(number: int) -> Iterator[str]:
    first = number * 40_000
    yield f"MSG\t{first} !V IMGLOAD CENTER img{number}.png 960 540 1000 800\n"
    yield f"START\t{first}\tLEFT\tRIGHT\tSAMPLES\tEVENTS\n"
    for k in range(SAMPLES):
        x, y = 600 + k % 97, 400 + k % 89
        yield f"{first + k}\t  {x}.1\t  {y}.2\t 900.0\t  {x}.3\t  {y}.4\t 910.0\t.....\n"
    yield f"END\t{first + SAMPLES}\tSAMPLES\tEVENTS\n"


KINDS = {
    "csv": ("csv", "image,participant,time_ms,x,y,valid\n", _csv),
    "tsv": ("tobii-tsv", TOBII, _tsv),
    "asc": ("eyelink-asc", "** CONVERTED\nMSG\t1 DISPLAY_COORDS 0 0 1919 1079\n", _asc),
}


def _write(path: Path, megabytes: int, kind: str) -> None:
    _, head, rows = KINDS[kind]
    with path.open("w") as file:
        file.write(head)
        number = 0
        while file.tell() < megabytes * 1e6:
            file.writelines(rows(number))
            number += 1


def _measure(path: Path, kind: str) -> tuple[float, float, int]:
    """Return seconds, the peak in MB of the reading process, and rows."""
    options = ImportOptions(screen=ScreenGeometry(1920, 1080, 518, 291))
    began, peak = time.monotonic(), 0.0
    with ReadingProcess() as process:
        file = process.read(KINDS[kind][0], path, options)
        assert process._process is not None
        worker = psutil.Process(process._process.pid)
        rows = 0
        for reading in file.readings:
            rows += len(reading.points_canvas)
            peak = max(peak, worker.memory_info().rss / 1e6)
    return time.monotonic() - began, peak, rows


def main(sizes: list[int]) -> None:
    """Print one line for each kind and size."""
    print("| file | MB | rows | s | rows/s | peak MB |\n|---|---|---|---|---|---|")
    for kind in KINDS:
        for megabytes in sizes:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"gaze.{kind}"
                _write(path, megabytes, kind)
                seconds, peak, rows = _measure(path, kind)
            rate = rows / seconds
            print(f"| {kind} | {megabytes} | {rows} | {seconds:.0f} | {rate:,.0f} | {peak:.0f} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100, 1000])
