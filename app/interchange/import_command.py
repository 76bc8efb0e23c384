"""`python main.py import-gaze FORMAT --study FOLDER FILES… [--images FOLDER] [--match CSV]`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from app.errors import AppError
from app.images.importer import import_files
from app.images.label_matching import match_labels
from app.images.reconciliation import reconcile
from app.images.sources import files_of as image_files_of
from app.interchange.importing import FORMATS, FileReport, import_gaze
from app.interchange.matching import Matcher
from app.interchange.options import ImportOptions
from devices.gaze.errors import GazeError
from devices.gaze.geometry import DEFAULT_DISTANCE_MM, ScreenGeometry
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

ASSUMED_MM_PER_PX = 0.27


def main(argv: Sequence[str]) -> int:
    """Import gaze; 0 if at least one reading is in the study, 1 if none or the work failed."""
    arguments = _parser().parse_args(argv)
    try:
        return _import(arguments)
    except (AppError, StudyError, GazeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was imported before is in the study.\n")
        return 1


def _import(arguments: argparse.Namespace) -> int:
    study = _study(arguments)
    try:
        matcher = _matcher(study, arguments)
        counts = dict.fromkeys(("accepted", "known", "refused"), 0)
        rows = {"read": 0, "kept": 0, "readings": 0}
        began = time.monotonic()
        reports = import_gaze(
            study, arguments.format, arguments.files, _options(arguments), matcher
        )
        for report in reports:
            counts[report.status] += 1
            rows["read"] += report.rows_read
            rows["kept"] += report.rows_kept
            rows["readings"] += sum(r.status == "accepted" for r in report.readings)
            _say(report, as_json=arguments.json)
            _progress(sum(counts.values()), time.monotonic() - began)
    finally:
        study.close()
    if not arguments.json:
        files = ", ".join(f"{count} {status}" for status, count in counts.items())
        sys.stdout.write(
            f"Files: {files}. {rows['readings']} new readings; rows read {rows['read']}, "
            f"kept {rows['kept']}, dropped {rows['read'] - rows['kept']}.\n"
        )
    return 0 if counts["accepted"] + counts["known"] else 1


def _study(arguments: argparse.Namespace) -> Study:
    folder: Path = arguments.study
    if arguments.images and not (folder / "study.toml").is_file():
        return Study.create(folder, StudySettings(name=folder.resolve().name))
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
    lines += [f"          {note}" for note in report.notes]
    if report.readings:
        samples = sum(r.samples for r in report.readings)
        fixations = sum(r.fixations for r in report.readings)
        clamped = sum(r.clamped for r in report.readings)
        border = f", {clamped} moved to the border" if clamped else ""
        lines.append(
            f"          {len(report.readings)} reading(s), {samples} samples ("
            f"{sum(r.lost for r in report.readings)} lost, "
            f"{sum(r.off_image for r in report.readings)} off the image{border}), "
            f"{fixations} fixations"
        )
    if report.lacks:
        lines.append(f"          the source does not say: {', '.join(report.lacks)}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _progress(done: int, seconds: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{done} files, {done / max(seconds, 1e-9):.1f} files/s   \r")
        sys.stderr.flush()


def _image_height(text: str) -> float:
    if text == "source":
        return 0.0
    value = float(text)
    if not 1 <= value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is no height in pixels")
    return value


def _columns(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(sign for _, sign, _ in pairs):
        raise argparse.ArgumentTypeError("give ROLE=COLUMN pairs, e.g. x=gaze_x,y=gaze_y,time=t")
    return [(role.strip(), column.strip()) for role, _, column in pairs]


def _pair(text: str) -> tuple[float, float]:
    values = [float(v) for v in text.lower().replace("×", "x").split("x")]
    if len(values) != 2 or min(values) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not WIDTHxHEIGHT")
    return values[0], values[1]


def _rectangle(text: str) -> tuple[float, float, float, float]:
    values = [float(v) for v in text.split(",")]
    if len(values) != 4 or min(values[2:]) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not X,Y,WIDTH,HEIGHT")
    return values[0], values[1], values[2], values[3]


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:12s} {text}" for name, (_, _, text) in FORMATS.items())
    parser = argparse.ArgumentParser(
        prog="python main.py import-gaze",
        description="Add gaze of other systems to a study as finished readings. A study keeps no "
        "file names: name its images in the same run (--images), by a csv (--match), or by the "
        "sha256 of their pixels.",
        epilog=f"formats:\n{listed}\ndocs/interchange.md describes each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("format", choices=list(FORMATS), metavar="FORMAT")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES")
    parser.add_argument("--study", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--images", type=Path, nargs="+", metavar="FOLDER",
        help="import these images too; their names are known for this run only",
    )  # fmt: skip
    parser.add_argument("--labels", type=Path, metavar="CSV", help="for --images, as `import` has")
    parser.add_argument(
        "--match", type=Path, metavar="CSV", help="columns image, and sha256, image_id or file"
    )
    parser.add_argument(
        "--reader",
        default="imported",
        metavar="PSEUDONYM",
        help="who read, if the source is silent",
    )
    parser.add_argument(
        "--image-height", type=_image_height, metavar="PIXELS",
        help="height the recorder resized images to (MicEye; mcgip: 800); `source` for not resized",
    )  # fmt: skip
    _add_table_options(parser)
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per file on standard output"
    )
    return parser


def _add_table_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("csv, tsv, tobii-tsv, xdf")
    group.add_argument(
        "--columns", type=_columns, default=[], metavar="ROLE=COLUMN,…",
        help="roles: image, reading, reader, time, duration, x, y, left_x, …, valid",
    )  # fmt: skip
    group.add_argument(
        "--unit", default="image-px",
        choices=("image-px", "image-fraction", "screen-px", "screen-fraction"),
    )  # fmt: skip
    group.add_argument(
        "--origin", default="top-left", choices=("top-left", "bottom-left", "centre")
    )
    group.add_argument("--time-unit", choices=("s", "ms", "us", "ns"), help="else told by the step")
    group.add_argument("--screen", type=_pair, metavar="WIDTHxHEIGHT", help="in pixels")
    group.add_argument("--screen-mm", type=_pair, metavar="WIDTHxHEIGHT")
    group.add_argument("--distance-mm", type=float, metavar="MM", help="eye to screen")
    group.add_argument(
        "--shown", type=_rectangle, metavar="X,Y,WIDTH,HEIGHT",
        help="where the image lay on the screen, pixels (default: fitted, centred)",
    )  # fmt: skip
