"""`python main.py export FORMAT --study FOLDER --out FOLDER`."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.errors import AppError, ExportError
from app.interchange.exports.archive import export_archive
from app.interchange.exports.bids import export_bids
from app.interchange.exports.dataset.terms import Terms, require_terms
from app.interchange.exports.dataset.write import export_dataset
from app.interchange.exports.readings import Content
from app.interchange.exports.tables import export_tables
from migrations.study.command_line import CommandParser, shown_progress
from migrations.study.export_command import (
    add_export_arguments,
    make_empty,
    require_whole,
    run_export,
)
from migrations.study.export_manifest import MANIFEST, write_manifest
from migrations.study.folder import Study
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from migrations.study.soundness import database_findings

FORMATS = {
    "bids": "BIDS with eye tracking (1.11): one file per eye, gaze events, events, geometry",
    "csv": "tables of samples, fixations, gaze events, views, annotations, quality; a dictionary",
    "parquet": "the same tables as Parquet",
    "dataset": "BIDS, tables, Croissant, datasheet, licence and checksums, for publication",
    "archive": "the whole study as one file with checksums; read with `import-archive`",
    "mcgip": "images, gaze JSON, relation.npy, splits in the layout of the released McGIP/GzPT "
    "code",
    "relation": "gaze similarity as npz and npy",
    "features": "an encoder's features as npz",
}


def main(argv: Sequence[str]) -> int:
    """Export a study; 0 done, 1 it failed or damaged gaze is missing from it."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    _require_fitting(parser, arguments)
    if arguments.format == "archive":
        return run_export(arguments, _archive, AppError)
    return run_export(arguments, partial(_export, arguments), AppError)


def _archive(study: Study, out: Path) -> str:
    path = export_archive(study, out, shown_progress("files"))
    damage = [f.text for f in database_findings(study.database) if f.severity == "damage"]
    return require_whole(str(path), damage)


def _export(arguments: argparse.Namespace, study: Study, out: Path) -> str:
    make_empty(out)
    content = Content.of(study, practice=arguments.practice)
    if not content.reading_ids:
        raise ExportError(
            as_typed(
                f"{study.folder} has no finished readings to export. Read cases in the station, or "
                "import gaze: python main.py import-gaze --help"
            )
        )
    if arguments.format == "dataset":
        said = export_dataset(
            content, out, _terms(arguments), shown_progress("readings"),
            with_images=arguments.with_images,
        )  # fmt: skip
        return require_whole(said, content.damage)
    files = _write(content, out, arguments.format)
    hashes = [image.sha256 for image in content.images.values()]
    write_manifest(out, arguments.format, files, content.readers(), hashes)
    said = f"{counted(len(content.reading_ids), 'reading')}, {counted(len(files), 'file')} in {out}"
    return require_whole(said, content.damage)


def _write(content: Content, out: Path, kind: str) -> list[Path]:
    progress = shown_progress("readings")
    if kind == "bids":
        files = export_bids(content, out, progress)
        (out / ".bidsignore").write_text(f"{MANIFEST}\n", encoding="utf-8")
        return [*files, out / ".bidsignore"]
    return export_tables(content, out, kind, progress)


def _terms(arguments: argparse.Namespace) -> Terms:
    return Terms(
        arguments.licence,
        tuple(arguments.creator),
        arguments.url,
        arguments.published,
        arguments.cite,
    )


def _require_fitting(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse terms that are not valid, or not of this format, before anything is written."""
    terms = _terms(arguments)
    if arguments.format == "dataset":
        try:
            require_terms(terms)
        except ExportError as error:
            parser.error(str(error))
    elif terms != Terms("") or arguments.with_images:
        parser.error(
            "--licence, --creator, --url, --published, --cite and --with-images belong to "
            "`export dataset`."
        )


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:9s} {text}" for name, text in FORMATS.items())
    parser = CommandParser(
        prog="python main.py export",
        description="Export a study in a standard format. Readers are pseudonyms; free-text "
        "notes, station names and dates are left out (an archive contains the "
        "whole study).",
        listed=f"formats:\n{listed}\nSee docs/interchange.md.",
        example="python main.py export bids --study my-study --out bids",
    )
    parser.add_argument("format", choices=list(FORMATS), metavar="FORMAT", help="see below")
    add_export_arguments(parser)
    parser.add_argument("--practice", action="store_true", help="include practice readings")
    group = parser.add_argument_group("for a data set")
    group.add_argument(
        "--licence",
        default="",
        metavar="SPDX",
        help="licence of the data set, such as CC-BY-4.0, or LicenseRef-NAME for your own "
        "terms; required",
    )
    group.add_argument(
        "--creator",
        action="append",
        default=[],
        metavar="NAME",
        help="creator: a person or an institution; repeatable",
    )
    group.add_argument("--url", default="", help="where it will be published")
    group.add_argument(
        "--published", default="", metavar="DAY", help="date of publication, such as 2026-11-28"
    )
    group.add_argument("--cite", default="", metavar="TEXT", help="how to cite it")
    group.add_argument(
        "--with-images",
        action="store_true",
        help="include the pictures, if you may publish them; those that may show a burned-in "
        "name and have not been cleared are left out",
    )
    return parser
