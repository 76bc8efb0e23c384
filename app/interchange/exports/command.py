"""`python main.py export FORMAT --study FOLDER --out FOLDER`."""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from app.errors import AppError, ExportError
from app.interchange.exports.archive import export_archive
from app.interchange.exports.bids import export_bids
from app.interchange.exports.manifest import write_manifest
from app.interchange.exports.readings import Content, Progress
from app.interchange.exports.tables import export_tables
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.schema import Reader

FORMATS = {
    "bids": "BIDS with eye tracking (1.11): one file per eye, fixations, events, geometry",
    "csv": "tables of samples, fixations, views, annotations, quality, with a data dictionary",
    "parquet": "the same tables as Parquet",
    "archive": "the whole study as one file with checksums; read with `import-archive`",
    "mcgip": "images, gaze JSON, relation.npy, splits as the released McGIP/GzPT code has",
    "relation": "gaze similarity as npz and npy",
    "features": "an encoder's features as npz",
}


def main(argv: Sequence[str]) -> int:
    """Export a study; 0 done, 1 it failed."""
    arguments = _parser().parse_args(argv)
    try:
        return _export(arguments)
    except (AppError, StudyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{arguments.out} cannot be written: {error.strerror}. Free some space, "
                         "or name another folder with --out.\n")  # fmt: skip
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; the export is not complete.\n")
        return 1


def _export(arguments: argparse.Namespace) -> int:
    study = Study.open(arguments.study, database_url=arguments.database)
    with contextlib.closing(study):
        out: Path = arguments.out or study.exports / arguments.format
        if arguments.format == "archive":
            path = export_archive(study, out, shown_progress("files"))
            sys.stdout.write(f"{path}\n")
            return 0
        require_empty(out)
        content = Content.of(study, practice=arguments.practice)
        if not content.reading_ids:
            raise ExportError(
                f"{study.folder} has no finished reading to export. Read cases in the station, or "
                "import gaze: python main.py import-gaze --help"
            )
        files = _write(content, out, arguments.format)
        readers = _readers(study)
        write_manifest(out, arguments.format, files, readers, _hashes(content))
    sys.stdout.write(f"{len(content.reading_ids)} readings, {len(files)} files in {out}\n")
    return 0


def _write(content: Content, out: Path, kind: str) -> list[Path]:
    progress = shown_progress("readings")
    if kind == "bids":
        files = export_bids(content, out, progress)
        (out / ".bidsignore").write_text("foveate-export.json\n", encoding="utf-8")
        return [*files, out / ".bidsignore"]
    return export_tables(content, out, kind, progress)


def _readers(study: Study) -> list[str]:
    with study.database.read() as session:
        return list(session.scalars(select(Reader.pseudonym)))


def _hashes(content: Content) -> list[str]:
    return [image.sha256 for image in content.images.values()]


def require_empty(out: Path) -> None:
    """Make the folder of an export; refuse one that holds something.

    Raises
    ------
    ExportError
        Naming the folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is not empty; name a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)


def shown_progress(unit: str) -> Progress:
    """Return a progress that is written over in one line, on a terminal only."""
    began = time.monotonic()

    def told(done: int, total: int) -> None:
        if sys.stderr.isatty():
            rate = done / max(time.monotonic() - began, 1e-9)
            left = (total - done) / max(rate, 1e-9)
            end = "\n" if done == total else "\r"
            sys.stderr.write(f"{done} of {total} {unit}, {rate:.1f}/s, {left:.0f} s left   {end}")
            sys.stderr.flush()

    return told


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:9s} {text}" for name, text in FORMATS.items())
    parser = argparse.ArgumentParser(
        prog="python main.py export",
        description="Take a study out in a format that others read. Readers are pseudonyms; free "
        "notes, station names and dates stay behind (the archive is the whole study).",
        epilog=f"formats:\n{listed}\ndocs/interchange.md describes each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("format", choices=list(FORMATS), metavar="FORMAT")
    parser.add_argument("--study", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="default: a folder of the study's exports"
    )
    parser.add_argument("--database", metavar="URL", help="a server instead of the folder's own")
    parser.add_argument("--practice", action="store_true", help="practice readings too")
    return parser
