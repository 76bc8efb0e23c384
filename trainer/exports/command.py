"""`python main.py export mcgip|relation|features --study FOLDER --out FOLDER`."""

import argparse
import contextlib
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.schema import Reader
from trainer.data.cohort import Cohort, load_cohort
from trainer.errors import CohortError, TrainerError
from trainer.exports.relation import relation_of, write_relation

FORMATS = ("mcgip", "relation", "features")


def main(argv: Sequence[str]) -> int:
    """Export; 0 done, 1 it failed."""
    arguments = _parser().parse_args(argv)
    try:
        return _export(arguments)
    except (TrainerError, StudyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{arguments.out} cannot be written: {error.strerror}. Free some space, "
                         "or name another folder with --out.\n")  # fmt: skip
        return 1


def _export(arguments: argparse.Namespace) -> int:
    study = Study.open(arguments.study, database_url=arguments.database)
    with contextlib.closing(study):
        out: Path = arguments.out or study.exports / arguments.format
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise CohortError(f"{out} is not empty; name a new folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        cohort = load_cohort(study)
        if len(cohort.members) < 2:
            raise CohortError(f"{study.folder} has {len(cohort.members)} image(s); 2 are needed.")
        files = _write(study, cohort, out, arguments)
        _manifest(study, cohort, out, arguments.format, files)
    sys.stdout.write(f"{len(cohort.members)} images, {len(files)} files in {out}\n")
    return 0


def _write(study: Study, cohort: Cohort, out: Path, arguments: argparse.Namespace) -> list[Path]:
    if arguments.format == "features":
        from trainer.exports.features import write_features

        return write_features(study, cohort, out, arguments.encoder)
    ids = tuple(member.image_id for member in cohort.members)
    relation = relation_of(study, ids, arguments.measure)
    if arguments.format == "relation":
        return write_relation(relation, out)
    from trainer.exports.mcgip import write_mcgip

    return write_mcgip(study, cohort, relation, out)


def _manifest(study: Study, cohort: Cohort, out: Path, kind: str, files: Sequence[Path]) -> None:
    """Say what lies there and whose data it is; `db erase` reads it."""
    with study.database.read() as session:
        readers = sorted(session.scalars(select(Reader.pseudonym)))
    table = {
        "format": kind,
        "readers": readers,
        "images": sorted(member.sha256 for member in cohort.members),
        "files": {
            p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(files)
        },
    }
    (out / "foveate-export.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python main.py export",
        description="mcgip: images, gaze JSON, relation.npy and splits as the released McGIP/GzPT "
        "code reads them. relation: gaze similarity of the study's images. features: what an "
        "encoder makes of them.",
    )
    parser.add_argument("format", choices=FORMATS, metavar="FORMAT")
    parser.add_argument("--study", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: in its exports")
    parser.add_argument("--database", metavar="URL", help="a server instead of the folder's own")
    parser.add_argument(
        "--measure", help="gaze similarity; default: the study's newest, else tima is computed"
    )
    parser.add_argument(
        "--encoder", type=Path, metavar="FILE",
        help="features: encoder.safetensors; default: that of the study's newest finished run",
    )  # fmt: skip
    return parser
