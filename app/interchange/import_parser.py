"""The options of `python main.py import-gaze`."""

import argparse
from pathlib import Path

from app.interchange.formats.registry import FORMATS
from app.interchange.options import UNITS
from app.interchange.places import ORIGINS
from app.interchange.tables import TIME_UNITS_US
from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_path,
    finite_number,
    whole_number,
)


def _image_height(text: str) -> float:
    if text == "source":
        return 0.0
    value = finite_number(text)
    if not 1 <= value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not a height in pixels")
    return value


def _count(text: str) -> int:
    value = whole_number(text)
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a number between 0 and 1000")
    return value


def _columns(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(sign for _, sign, _ in pairs):
        raise argparse.ArgumentTypeError("give ROLE=COLUMN pairs, e.g. x=gaze_x,y=gaze_y,time=t")
    return [(role.strip(), column.strip()) for role, _, column in pairs]


def _pair(text: str) -> tuple[float, float]:
    values = [finite_number(v) for v in text.lower().replace("×", "x").split("x")]
    if len(values) != 2 or min(values) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not WIDTHxHEIGHT")
    return values[0], values[1]


def _rectangle(text: str) -> tuple[float, float, float, float]:
    values = [finite_number(v) for v in text.split(",")]
    if len(values) != 4 or min(values[2:]) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not X,Y,WIDTH,HEIGHT")
    return values[0], values[1], values[2], values[3]


def import_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    listed = "\n".join(f"  {name:15s} {each.text}" for name, each in FORMATS.items())
    parser = CommandParser(
        prog="python main.py import-gaze",
        description="Import gaze recorded by other systems into a study, as finished readings. A "
        "study does not store file names, so identify the images by importing them "
        "in the same run (--images), by a csv (--match), or by the SHA-256 of their "
        "pixels. With --images, a new study is created if there is none; otherwise "
        "the study must exist.",
        listed=f"formats:\n{listed}\nSee docs/interchange.md.",
        example="python main.py import-gaze csv --study my-study gaze.csv --match images.csv",
    )
    parser.add_argument("format", choices=list(FORMATS), metavar="FORMAT", help="see below")
    parser.add_argument(
        "files", nargs="+", type=existing_path, metavar="FILES", help="files or folders of gaze"
    )
    parser.add_argument(
        "--study", type=Path, required=True, metavar="FOLDER", help="the study's folder"
    )
    parser.add_argument(
        "--images", type=existing_path, nargs="+", metavar="FOLDER",
        help="also import these images; their file names are known during this run only",
    )  # fmt: skip
    parser.add_argument(
        "--labels",
        type=existing_file,
        metavar="CSV",
        help="csv of labels for --images, as for `import`",
    )
    parser.add_argument(
        "--match",
        type=existing_file,
        metavar="CSV",
        help="csv with the column image and one of sha256, image_id or file",
    )
    parser.add_argument(
        "--reader",
        default="imported",
        metavar="PSEUDONYM",
        help="reader's pseudonym, if the source does not name one",
    )
    parser.add_argument(
        "--image-height", type=_image_height, metavar="PIXELS",
        help="height to which the recorder resized images (MicEye; mcgip: 800), or `source` if "
             "they were not resized",
    )  # fmt: skip
    _add_table_options(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object per file on standard output"
    )
    return parser


def _add_table_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tables, tobii-tsv, xdf, eyelink-asc")
    group.add_argument(
        "--columns", type=_columns, default=[], metavar="ROLE=COLUMN,…",
        help="roles: image, reading, participant, time, duration, frame, x, y, left_x, …, "
        "left_pupil_mm, …, valid, left_valid, …, confidence",
    )  # fmt: skip
    group.add_argument(
        "--unit",
        choices=UNITS,
        help="unit of coordinates (default: inferred from names and values)",
    )
    group.add_argument(
        "--origin", choices=ORIGINS, help="where (0, 0) is; y goes up unless top-left (the default)"
    )
    group.add_argument(
        "--time-unit", choices=tuple(TIME_UNITS_US),
        help="unit of times and durations (default: inferred from the header, or from their "
             "typical step and length)",
    )  # fmt: skip
    group.add_argument(
        "--valid-when", metavar="VALUES",
        help="values of the validity column that mean gaze is valid, e.g. 0,1 or '>=0.5' "
             "(default: inferred from the words, the software, or the gaze itself)",
    )  # fmt: skip
    group.add_argument(
        "--missing", metavar="NUMBERS",
        help="coordinates that mean no gaze, e.g. -1,9999, or `none` (default: (0, 0), (-1, -1) "
             "and the codes of known trackers)",
    )  # fmt: skip
    group.add_argument(
        "--min-confidence", type=float, metavar="NUMBER",
        help="treat gaze below this confidence as lost (default: 0.6, if the file gives a "
             "confidence)",
    )  # fmt: skip
    group.add_argument(
        "--participant", metavar="COLUMN",
        help="the column that identifies the reader, or `none`; names always become pseudonyms",
    )  # fmt: skip
    group.add_argument(
        "--stream",
        metavar="NAME",
        help="xdf: the gaze stream to take, by name, source id or number",
    )
    group.add_argument(
        "--markers", metavar="NAME",
        help="xdf: the stream that records what was shown, by name, source id or number; "
             "eyelink-asc: the word before an image's name in a message",
    )  # fmt: skip
    group.add_argument(
        "--skip-lines", type=_count, metavar="N",
        help="number of lines before the header (default: remarks and lines shorter than the "
             "table are skipped)",
    )  # fmt: skip
    group.add_argument("--screen", type=_pair, metavar="WIDTHxHEIGHT", help="in pixels")
    group.add_argument(
        "--screen-mm", type=_pair, metavar="WIDTHxHEIGHT",
        help="screen size in millimetres (default: 0.27 mm per pixel)",
    )  # fmt: skip
    group.add_argument(
        "--distance-mm", type=float, metavar="MM", help="distance from the eyes to the screen"
    )
    group.add_argument(
        "--shown", type=_rectangle, metavar="X,Y,WIDTH,HEIGHT",
        help="position of the image on the screen, in pixels (default: fitted and centred)",
    )  # fmt: skip
