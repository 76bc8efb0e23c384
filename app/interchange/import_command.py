"""`python main.py import-gaze FORMAT --study FOLDER FILES… [--images FOLDER] [--match CSV]`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from app.errors import AppError
from app.images.importing.importer import import_files
from app.images.importing.label_matching import match_labels
from app.images.importing.reconciliation import reconcile
from app.images.importing.sources import files_of as image_files_of
from app.interchange.import_parser import import_parser
from app.interchange.import_reports import FileReport, ImportProgress
from app.interchange.importing import import_gaze
from app.interchange.matching import Matcher
from app.interchange.options import ImportOptions
from app.interchange.reading_process import ReadingProcess
from devices.gaze.errors import GazeError
from devices.gaze.geometry import DEFAULT_DISTANCE_MM, ScreenGeometry
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
from migrations.study.plurals import counted
from migrations.study.settings import StudySettings

ASSUMED_MM_PER_PX = 0.27
SAY_EVERY_S = 10.0


def main(argv: Sequence[str]) -> int:
    """Import gaze; 0 if readings are in the study, 1 if none or some failed, 3 if stopped."""
    arguments = import_parser().parse_args(argv)
    said = _Progress()
    try:
        return _import(arguments, said)
    except (AppError, StudyError, GazeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1
    except KeyboardInterrupt:
        sys.stderr.write(said.stopped())
        return 3


def _import(arguments: argparse.Namespace, said: "_Progress") -> int:
    study = _study(arguments)
    counts = dict.fromkeys(("accepted", "known", "refused"), 0)
    rows = {"read": 0, "kept": 0, "readings": 0}
    is_partial = False
    try:
        matcher = _matcher(study, arguments)
        with ExitStack() as stack:
            process = stack.enter_context(ReadingProcess())
            reports = import_gaze(
                study, arguments.format, arguments.files, _options(arguments), matcher,
                read=process.read, on_progress=said,
            )  # fmt: skip
            for report in stack.enter_context(closing(reports)):
                counts[report.status] += 1
                is_partial |= bool(report.reason and report.readings)
                rows["read"] += report.rows_read
                rows["kept"] += report.rows_kept
                rows["readings"] += sum(r.status == "accepted" for r in report.readings)
                said.clear()
                _say(report, as_json=arguments.json)
    finally:
        study.close()
    if not arguments.json:
        files = ", ".join(f"{count} {status}" for status, count in counts.items())
        sys.stdout.write(
            f"Files: {files}. {rows['readings']} new readings; rows read {rows['read']}, "
            f"kept {rows['kept']}, dropped {rows['read'] - rows['kept']}.\n"
        )
    return 0 if counts["accepted"] + counts["known"] and not is_partial else 1


class _Progress:
    """Reports on standard error how far an import is: continuously on a terminal, else at times."""

    def __init__(self) -> None:
        self._last: ImportProgress | None = None
        self._said_at = time.monotonic()
        self._on_terminal = sys.stderr.isatty()

    def __call__(self, progress: ImportProgress) -> None:
        self._last = progress
        now = time.monotonic()
        if now - self._said_at >= (0.2 if self._on_terminal else SAY_EVERY_S):
            self._said_at = now
            end = "\r" if self._on_terminal else "\n"
            sys.stderr.write(f"{progress.text}{end}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._on_terminal:
            sys.stderr.write("\x1b[2K")

    def stopped(self) -> str:
        """Return in words where the import stopped."""
        where = ""
        if self._last is not None:
            where = f" in {self._last.path}, {self._last.text.rsplit(',', 2)[0]}"
        return (
            f"\nStopped{where}. Readings stored so far are in the study. Run the same command to "
            "add the rest.\n"
        )


def _study(arguments: argparse.Namespace) -> Study:
    folder: Path = arguments.study
    if arguments.images and not (folder / "study.toml").is_file():
        study = Study.create(folder, StudySettings(name=folder.resolve().name))
        sys.stderr.write(f"{folder} is a new study.\n")
        return study
    return Study.open(folder)


def _matcher(study: Study, arguments: argparse.Namespace) -> Matcher:
    """Import the images first, so that their names are known for this run."""
    imported = []
    if arguments.images:
        files = image_files_of(arguments.images, leave_out=arguments.labels)
        matches = match_labels(arguments.labels, files) if arguments.labels else None
        for result in import_files(study, files, labels=matches):
            imported.append(result)
            if result.status == "refused":
                sys.stderr.write(f"image {result.path}: {result.reason}\n")
        if matches is not None:
            sys.stderr.write(reconcile(matches, imported).summary + "\n")
    matcher = Matcher.of(study)
    for result in imported:
        matcher.learn(result)
    if arguments.match:
        matcher.learn_csv(arguments.match)
    return matcher


def _options(arguments: argparse.Namespace) -> ImportOptions:
    return ImportOptions(
        reader=arguments.reader,
        image_height=arguments.image_height,
        columns=dict(arguments.columns),
        unit=arguments.unit,
        origin=arguments.origin,
        time_unit=arguments.time_unit,
        screen=_screen(arguments),
        shown=arguments.shown,
        screen_mm_said=arguments.screen_mm is not None,
        valid_when=arguments.valid_when,
        missing=arguments.missing,
        min_confidence=arguments.min_confidence,
        participant=arguments.participant,
        stream=arguments.stream,
        markers=arguments.markers,
        skip_lines=arguments.skip_lines,
    )


def _screen(arguments: argparse.Namespace) -> ScreenGeometry | None:
    if arguments.screen is None:
        return None
    width, height = arguments.screen
    width_mm, height_mm = arguments.screen_mm or (
        width * ASSUMED_MM_PER_PX,
        height * ASSUMED_MM_PER_PX,
    )
    source = "assumed" if arguments.distance_mm is None else "taped"
    distance_mm = arguments.distance_mm or DEFAULT_DISTANCE_MM
    return ScreenGeometry(width, height, width_mm, height_mm, distance_mm, source)


def _say(report: FileReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report.as_dict()) + "\n")
        sys.stdout.flush()
        return
    lines = [
        f"{report.status:8s}  {report.path}: rows read {report.rows_read}, kept {report.rows_kept}"
    ]
    if report.reason:
        lines.append(f"          {report.reason}")
    lines += [f"          dropped {count}: {why}" for why, count in report.dropped.items()]
    lines += [f"          {note.text}" for note in report.notes]
    if report.readings:
        samples = sum(r.samples for r in report.readings)
        fixations = sum(r.fixations for r in report.readings)
        clamped = sum(r.clamped for r in report.readings)
        border = f", {clamped} moved to the image border" if clamped else ""
        lines.append(
            f"          {counted(len(report.readings), 'reading')}, {counted(samples, 'sample')} ("
            f"{sum(r.lost for r in report.readings)} lost, "
            f"{sum(r.off_image for r in report.readings)} off the image{border}), "
            f"{counted(fixations, 'fixation')}"
        )
    if report.lacks:
        lines.append(f"          not given by the source: {', '.join(report.lacks)}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
