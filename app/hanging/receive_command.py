"""`python main.py receive --study FOLDER`: a C-STORE listener whose files become cases."""

import argparse
import contextlib
import math
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.errors import AppError
from app.hanging.arrivals import import_cases
from app.hanging.grouping import CHOICES
from app.hanging.import_command import say
from app.images.importing.elsewhere import Elsewhere
from app.images.importing.label_matching import LabelMatches, match_labels
from app.images.pacs.listener import Listener
from app.images.pacs.network import require_allowed
from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_study,
    not_negative,
    whole_number,
)
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import SINGLE

_LAST_PORT = 65_535


def main(argv: Sequence[str]) -> int:
    """Receive until stopped; 0 if at least one image came before it became quiet, 1 if none."""
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings(), contextlib.closing(Study.open(arguments.study)) as study:
            # Warnings of pydicom quote values that break a small rule, such as a UID or a name, in
            # whichever thread reads them. What matters about a file is in its result.
            warnings.simplefilter("ignore")
            return _received(study, arguments)
    except (AppError, StudyError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Images accepted so far are in the study.\n")
        return 3


def _received(study: Study, arguments: argparse.Namespace) -> int:
    require_allowed(arguments.host, study.settings)
    matches = None if arguments.labels is None else match_labels(arguments.labels, [])
    counts = {"accepted": 0, "known": 0, "refused": 0}
    patience_s = arguments.until_quiet or math.inf
    with Listener(arguments.host, arguments.port, arguments.title, arguments.sender) as listener:
        sys.stderr.write(
            f"{arguments.title} is listening on {arguments.host}, port {listener.port}. Press "
            "Ctrl+C to stop.\n"
        )
        sys.stderr.flush()
        began = last = time.monotonic()  # from when senders can reach it, however long that took
        quiet = False
        while not quiet:
            names = _labelled(listener.next_names(last + patience_s), matches)
            imported = import_cases(
                study, names, labels=matches, hanging=arguments.hang,
                elsewhere=Elsewhere(listener.read),
            )  # fmt: skip
            before = sum(counts.values())
            with contextlib.closing(imported):
                for result in imported:
                    listener.answer(result)
                    counts[result.status] += 1
                    say(result, as_json=arguments.json)
                    last = time.monotonic()
            done = sum(counts.values())
            # What came in while the last images were hung still waits: only a round in which
            # nothing came was quiet.
            quiet = done == before and time.monotonic() - last >= patience_s
            if done > before:
                rate = done / (last - began)
                said = ", ".join(f"{count} {status}" for status, count in counts.items())
                sys.stderr.write(f"{said}; {rate:.1f} images/s.\n")
    return 0 if counts["accepted"] + counts["known"] else 1


def _labelled(names: Iterator[Path], matches: LabelMatches | None) -> Iterator[Path]:
    """Yield names, each matched with the csv of labels before it is imported."""
    for name in names:
        if matches is not None:
            own = match_labels(matches.table, [name])
            matches.chosen.update(own.chosen)
            for parts, files in own.fitting.items():
                earlier = matches.fitting.get(parts, ())
                matches.fitting[parts] = tuple(dict.fromkeys((*earlier, *files)))
        yield name


def _port(text: str) -> int:
    if whole_number(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port; the last one is {_LAST_PORT}.")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py receive",
        description="Listen for images that an archive or a modality sends (DICOM C-STORE). "
        "Each is de-identified in memory and becomes a case; success is reported "
        "to the sender once it is in the study. For research, not for diagnosis.",
        example="python main.py receive --study my-study --port 11112",
    )
    parser.add_argument(
        "--study", type=existing_study, required=True, metavar="FOLDER", help="the study's folder"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; an address other than this computer's own requires "
        "archive_network = true in the study",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=11112,
        help="port to listen on; 0: any free port (default: %(default)s)",
    )
    parser.add_argument("--title", default="FOVEATE", help="the AE title that senders call")
    parser.add_argument(
        "--sender",
        action="append",
        default=[],
        metavar="TITLE",
        help="an AE title that may send; repeatable (default: anyone who reaches the port)",
    )
    parser.add_argument(
        "--labels",
        type=existing_file,
        metavar="CSV",
        help="as for import; its column image contains the image's UID",
    )
    parser.add_argument("--hang", choices=(*CHOICES, SINGLE), help="as for import")
    parser.add_argument(
        "--until-quiet",
        type=not_negative,
        default=0.0,
        metavar="SECONDS",
        help="end after this many seconds without an image; 0: only when stopped",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object per image, as import does"
    )
    return parser
