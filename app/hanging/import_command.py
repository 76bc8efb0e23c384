"""`python main.py import --study FOLDER FILES… | --dicomweb URL … [--labels CSV] [--json]`."""

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from app.errors import AppError, ArchiveClosed, ImportStopped
from app.hanging.archive_options import add_options, fetch_of
from app.hanging.arrivals import import_cases
from app.hanging.fetch import Fetch
from app.hanging.grouping import CHOICES
from app.images.clearing import to_clear
from app.images.importing.label_matching import LabelMatches, match_labels
from app.images.importing.labels import read_labels
from app.images.importing.reconciliation import (
    FILE_WITHOUT_ROW,
    Reconciliation,
    reconcile,
    require_outside,
    write_reconciliation,
)
from app.images.importing.relabelling import set_labels
from app.images.importing.results import ImportResult
from app.images.importing.sources import files_of, labels_among
from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_path,
    shown_progress,
)
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.settings import SINGLE, StudySettings

_JSON_FIELDS = (
    "path", "status", "reason", "image_name", "rows", "columns", "bits", "photometric",
    "pixels_sha256", "notes",
)  # fmt: skip
_NAMED = 20


def main(argv: Sequence[str]) -> int:
    """Import files; 0 if at least one was accepted or known, 1 if none, 3 stopped."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if bool(arguments.files) == bool(arguments.dicomweb):
        parser.error("name image files or folders, or an archive by --dicomweb URL")
    try:
        if arguments.reconciliation and not (arguments.labels or labels_among(arguments.files)):
            parser.error("--reconciliation needs --labels")
        return _import(arguments)
    except ArchiveClosed as error:
        sys.stderr.write(f"\n{error} {error.command_hint}\n")
        return 1
    except (AppError, StudyError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Images accepted so far are in the study.\n")
        return 3


def _import(arguments: argparse.Namespace) -> int:
    labels = arguments.labels = arguments.labels or labels_among(arguments.files)
    if arguments.dicomweb:
        return _fetched(arguments)
    named = [path for path in arguments.files if path != labels]
    files = files_of(named, leave_out=labels)
    if labels is not None and not named:
        return _labels_alone(arguments)
    if not files:
        places = ", ".join(str(path) for path in arguments.files)
        raise ImportStopped(
            f"{places} contains no files. Name image files or a folder that contains some."
        )
    if arguments.reconciliation:
        require_outside(arguments.reconciliation, arguments.study)
    return _brought_in(_study(arguments.study), files, arguments)


def _fetched(arguments: argparse.Namespace) -> int:
    """Import the requested images of an archive; 0 if at least one was accepted or known."""
    if arguments.reconciliation:
        require_outside(arguments.reconciliation, arguments.study)
    study = _study(arguments.study)
    try:
        fetch = fetch_of(arguments, study.settings)
    except BaseException:
        study.close()
        raise
    with fetch:
        return _brought_in(study, fetch.names, arguments, fetch)


def _brought_in(
    study: Study,
    files: Sequence[Path],
    arguments: argparse.Namespace,
    fetch: Fetch | None = None,
) -> int:
    """Import into a study, close it, and report the result."""
    results: list[ImportResult] = []
    matches: LabelMatches | None = None
    try:
        if arguments.labels is not None:
            matches = match_labels(arguments.labels, files)
        _import_into(study, files, matches, arguments, results, fetch)
        waiting = len(to_clear(study))
    finally:
        study.close()
        if matches is not None:  # even after an import that could not continue
            _reconciled(reconcile(matches, results), arguments)
    counts = {s: sum(r.status == s for r in results) for s in ("accepted", "known", "refused")}
    if not arguments.json:
        sys.stdout.write(", ".join(f"{count} {status}" for status, count in counts.items()) + "\n")
        if waiting:
            sys.stdout.write(
                f"{waiting} of the study's images may show a burned-in name. Clear them in the "
                "station (Worklist, Clear images) before they are read.\n"
            )
    return 0 if counts["accepted"] + counts["known"] else 1


def _labels_alone(arguments: argparse.Namespace) -> int:
    """Apply a csv to the study's images, without files; 0 if a row matched one."""
    if arguments.reconciliation:
        require_outside(arguments.reconciliation, arguments.study)
    study = Study.open(arguments.study)
    try:
        found = set_labels(study, read_labels(arguments.labels))
    finally:
        study.close()
    _reconciled(found, arguments)
    return 0 if found.matched else 1


def _import_into(
    study: Study,
    files: Sequence[Path],
    matches: LabelMatches | None,
    arguments: argparse.Namespace,
    results: list[ImportResult],
    fetch: Fetch | None,
) -> None:
    """Import files, report the result of each, and add it to the results."""
    progress = shown_progress("files")
    imported = import_cases(
        study,
        files,
        labels=matches,
        linkage=arguments.linkage,
        hanging=arguments.hang,
        elsewhere=None if fetch is None else fetch.elsewhere,
    )
    with contextlib.closing(imported):
        for result in imported:
            results.append(result)
            say(result, as_json=arguments.json)
            progress(len(results), len(files))


def _reconciled(found: Reconciliation, arguments: argparse.Namespace) -> None:
    """Report how the csv and the files matched, and write it to the requested file."""
    if arguments.json:
        sys.stdout.write(json.dumps({"reconciliation": found.as_dict()}) + "\n")
    else:
        sys.stdout.write(found.summary + "\n")
        named = [one for one in found.mismatches if one.kind != FILE_WITHOUT_ROW]
        for one in named[:_NAMED]:
            sys.stdout.write(f"{one.kind}, line {one.line}: {one.image} ({one.text})\n")
        if len(named) > _NAMED:
            rest = f"… and {len(named) - _NAMED:,} more"
            sys.stdout.write(f"{rest}; --reconciliation CSV or --json lists all.\n")
    if arguments.reconciliation:
        write_reconciliation(arguments.reconciliation, found, arguments.study)


def _study(folder: Path) -> Study:
    if (folder / "study.toml").is_file():
        return Study.open(folder)
    study = Study.create(folder, StudySettings(name=folder.resolve().name))
    sys.stderr.write(f"{folder} is a new study.\n")
    return study


def say(result: ImportResult, *, as_json: bool) -> None:
    """Report the result for a file, in words or as JSON."""
    if as_json:
        table = asdict(result) | {"path": str(result.path), "image_name": _name(result)}
        table = {name: table[name] for name in _JSON_FIELDS}
        if result.status == "refused":
            table = {name: table[name] for name in _JSON_FIELDS[:3]}
        sys.stdout.write(json.dumps(table) + "\n")
    else:
        size = f"{result.columns} × {result.rows}, {result.bits} bit" if result.image_id else ""
        words = "; ".join(word for word in (_name(result), size, result.reason) if word)
        sys.stdout.write(f"{result.status:8s}  {result.path}  ({words})\n")
    sys.stdout.flush()


def _name(result: ImportResult) -> str:
    """Return the image's name; "" for a refused file."""
    return short_name(result.image_id) if result.image_id else ""


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py import",
        description="Add images to a study: DICOM, PNG or TIFF (8 or 16 bit), JPEG (8 bit), or "
        "folders of these. Each file is decoded in a separate process and "
        "de-identified, and becomes one case. If the folder is not a study yet, a "
        "new study is created. For research, not for diagnosis.",
        example="python main.py import --study my-study scans/ --labels labels.csv",
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=existing_path,
        metavar="FILES",
        help="image files or folders of them",
    )
    parser.add_argument(
        "--study", type=Path, required=True, metavar="FOLDER",
        help="the study's folder; created if there is none",
    )  # fmt: skip
    add_options(parser)
    parser.add_argument(
        "--labels",
        type=existing_file,
        metavar="CSV",
        help="csv with the column image (a path, or enough of its end to identify the file) "
        "and any of label, patient, split, case (images of one case hang together), "
        "practice, prior; default: a csv among FILES, or a folder's labels.csv. without "
        "FILES, its rows use the study's image names",
    )
    parser.add_argument(
        "--reconciliation",
        type=Path,
        metavar="CSV",
        help="write a csv, outside the study, of the rows of --labels without a file, the files "
        "without a row, and conflicts",
    )
    parser.add_argument(
        "--linkage",
        type=Path,
        metavar="CSV",
        help="write a file, outside the study, that records which image came from which patient",
    )
    parser.add_argument(
        "--hang",
        choices=(*CHOICES, SINGLE),
        help="show the images of one patient, or of one `case` in the csv, together as one case: "
        "one-up, two-up, mammo (2 × 2, chest walls meeting), prior (current over prior), "
        "auto (by view and laterality), single (each image is a case); default: the study's "
        "setting",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object per file, and with --labels a final one, `reconciliation`",
    )
    return parser
