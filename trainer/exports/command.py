"""`python main.py export mcgip|relation|features --study FOLDER --out FOLDER`."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from migrations.study.command_line import CommandParser
from migrations.study.export_command import (
    add_export_arguments,
    make_empty,
    require_whole,
    run_export,
)
from migrations.study.export_manifest import write_manifest
from migrations.study.folder import Study
from migrations.study.plurals import counted
from trainer.data.cohort import Cohort, damage_text, load_cohort
from trainer.errors import CohortError, EncoderError, NoSuchEncoder, TrainerError
from trainer.exports.mcgip import write_mcgip
from trainer.exports.relation import relation_of, write_relation
from trainer.similarity.study_gaze import reader_names

FORMATS = ("mcgip", "relation", "features")


def main(argv: Sequence[str]) -> int:
    """Export; 0 done, 1 failed, 2 no such encoder, 3 stopped."""
    arguments = _parser().parse_args(argv)
    return run_export(
        arguments, partial(_export, arguments), TrainerError, wrong=(NoSuchEncoder, EncoderError)
    )


def _export(arguments: argparse.Namespace, study: Study, out: Path) -> str:
    make_empty(out)
    cohort = load_cohort(study)
    if len(cohort.members) < 2:
        images = counted(len(cohort.members), "image")
        raise CohortError(f"{study.folder} has {images}; at least 2 are needed.")
    files = _write(study, cohort, out, arguments)
    hashes = [member.sha256 for member in cohort.members]
    called = reader_names(study)
    readers = {called[reading.reader_id] for m in cohort.members for reading in m.readings}
    write_manifest(out, arguments.format, files, readers, hashes)
    said = f"{counted(len(cohort.members), 'image')}, {counted(len(files), 'file')} in {out}"
    return require_whole(said, damage_text(cohort))


def _write(study: Study, cohort: Cohort, out: Path, arguments: argparse.Namespace) -> list[Path]:
    if arguments.format == "features":
        from trainer.exports.features import write_features

        return write_features(study, cohort, out, arguments.encoder)
    ids = tuple(member.image_id for member in cohort.members)
    relation = relation_of(study, ids, arguments.measure)
    if arguments.format == "relation":
        return write_relation(study, relation, out)
    return write_mcgip(study, cohort, relation, out)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py export",
        description="mcgip: images, gaze JSON, relation.npy and splits in the layout of the "
        "released McGIP/GzPT code. relation: gaze similarity of the study's images. "
        "features: their features from an encoder.",
        example="python main.py export features --study my-study --encoder byol-gzpt-resnet18",
    )
    parser.add_argument("format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    add_export_arguments(parser)
    parser.add_argument(
        "--measure",
        help="gaze similarity measure (default: the study's newest result, or else tima)",
    )
    parser.add_argument(
        "--encoder", metavar="FILE|RUN",
        help="features: encoder.safetensors, or the name of a run of the study (default: the "
             "study's newest finished run)",
    )  # fmt: skip
    return parser
