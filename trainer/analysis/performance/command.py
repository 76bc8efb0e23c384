"""`python main.py performance`: measure how well readers read and whether arms differ.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped.
"""

import argparse
import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_study,
    not_negative,
)
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
from migrations.study.incomplete import stopped_text
from migrations.study.names import names_of
from migrations.study.stopping import listened
from migrations.study.told_events import add_events, is_told, tell
from trainer.analysis.areas import Area
from trainer.analysis.areas_file import areas_of_table
from trainer.analysis.check_areas import check_areas
from trainer.analysis.performance.afroc_arms import compare_afroc
from trainer.analysis.performance.marks import (
    localisation_of,
    marks_remark,
    scored_cases,
    speaking_alike,
    with_confidence,
)
from trainer.analysis.performance.obuchowski_rockette import RANDOM
from trainer.analysis.performance.ratings import Ratings, ratings_of
from trainer.analysis.performance.ratings_file import read_ratings
from trainer.analysis.performance.result import performance_of, performance_of_study, plain
from trainer.analysis.performance.shown import show
from trainer.analysis.performance.study_ratings import StudyRatings, study_ratings
from trainer.analysis.performance.truth import Truth
from trainer.analysis.performance.write import write_performance
from trainer.analysis.reported import Reported, marks_of
from trainer.errors import AnalysisError, PerformanceError


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    problem = _misused(options)
    if problem:
        parser.error(problem)
    try:
        with listened(options.events):
            _work(options)
    except (AnalysisError, PerformanceError, StudyError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1
    except KeyboardInterrupt:
        sys.stderr.write(f"{stopped_text(options.out)}\n")
        return 3
    return 0


def _work(options: argparse.Namespace) -> None:
    tell("stage", stage="answers", message="Reading and comparing answers and marks.")
    ratings, found = _found(options)
    if not is_told():
        # Names are text: without this "[x]" would vanish and ":+1:" become a picture.
        console = Console(width=None if sys.stdout.isatty() else 120, markup=False, emoji=False)
        show(found, console)
    if options.out:
        names = write_performance(options.out, ratings, found)
        tell("result", folder=str(options.out.absolute()), files=names)
        if not is_told():
            console.print(f"Written to {options.out}: {', '.join(names)}", soft_wrap=True)


def _misused(options: argparse.Namespace) -> str | None:
    if options.study and options.positive is None:
        return "--study needs --positive VALUE, the answer that means a case is positive."
    if options.ratings and any(_of_study(options)):
        return "--truth…, --question, --confidence, --positive and --areas only work with --study."
    if sum(map(bool, (options.truth, options.truth_label, options.truth_question))) > 1:
        return "Use only one of --truth, --truth-label and --truth-question."
    if (options.truth_question is None) != (options.truth_positive is None):
        return "--truth-question KEY and --truth-positive VALUE must be used together."
    return None


def _of_study(options: argparse.Namespace) -> list[Any]:
    return [
        options.truth, options.truth_label, options.truth_question, options.truth_positive,
        options.question, options.confidence, options.positive, options.areas,
    ]  # fmt: skip


def _found(options: argparse.Namespace) -> tuple[Ratings, dict[str, Any]]:
    if options.ratings:
        ratings = read_ratings(options.ratings)
        return ratings, performance_of(ratings, options.random)
    with contextlib.closing(Study.open(options.study)) as study:
        said = study_ratings(
            study, options.positive, options.question, _truth(options), options.confidence
        )
        found = performance_of_study(said, options.random)
        if options.areas:
            with study.database.read() as rows:
                areas = areas_of_table(options.areas, names_of(rows, "image"))
            check_areas(study, areas)
            found |= _localised(said, marks_of(study), areas, options)
            found["left_out"] = [*said.notes, *found.pop("localisation_left_out")]
            found["remarks"] += found.pop("localisation_remarks")
    return ratings_of(said.ratings), found


def _truth(options: argparse.Namespace) -> Truth:
    return Truth(options.truth, options.truth_label, options.truth_question, options.truth_positive)


def _localised(
    said: StudyRatings,
    marks: Mapping[str, Sequence[Reported]],
    areas: Mapping[str, Sequence[Area]],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Return what marks say of lesions, by reader and arm, and the arms compared by it."""
    kept, notes = speaking_alike(said.decisions, areas)
    kept, unsure = with_confidence(kept, marks)
    found: dict[str, Any] = dict(localisation_of(kept, marks, areas, options.radius_px))
    scored = scored_cases(kept, marks, areas, options.radius_px)
    if kept:
        found["localisation_comparison"] = plain(compare_afroc(scored, options.random))
        found["wafroc_comparison"] = plain(compare_afroc(scored, options.random, "wafroc"))
    return found | {
        "localisation_left_out": [*notes, *unsure], "localisation_remarks": marks_remark(marks),
    }  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py performance",
        description="Report readers' ROC figures and agreement, and compare arms across readers "
        "and cases (Obuchowski-Rockette with Hillis' degrees of freedom). For "
        "research, not for diagnosis.",
        example="python main.py performance --ratings ratings.csv --out performance\n"
        "  python main.py performance --study study --positive finding",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--study",
        type=existing_study,
        metavar="FOLDER",
        help="use the answers stored in this study",
    )
    source.add_argument(
        "--ratings", type=existing_file, metavar="FILE.csv",
        help="csv with the columns reader, treatment, case, truth (0 or 1), rating; others are "
             "ignored",
    )  # fmt: skip
    parser.add_argument(
        "--truth", type=existing_file, metavar="FILE",
        help="csv with the columns case and truth (0 or 1) (default: the labels of the study's "
             "images)",
    )  # fmt: skip
    parser.add_argument(
        "--truth-label", metavar="LABEL",
        help="label of the images that are positive (default: the value of --positive)",
    )  # fmt: skip
    parser.add_argument(
        "--truth-question", metavar="KEY",
        help="another question of the form; the answer of most readers is taken as the truth",
    )  # fmt: skip
    parser.add_argument(
        "--truth-positive", metavar="VALUE",
        help="the answer to --truth-question that means a case is positive",
    )  # fmt: skip
    parser.add_argument(
        "--question", metavar="KEY", help="key of the question (default: the main one)"
    )
    parser.add_argument(
        "--confidence", metavar="KEY",
        help="key of the confidence that belongs to the answer, if a form asks for several",
    )  # fmt: skip
    parser.add_argument(
        "--positive", metavar="VALUE",
        help="the answer that means a case is positive; for a scale, the lowest such value",
    )  # fmt: skip
    parser.add_argument(
        "--areas", type=existing_file, metavar="FILE",
        help="lesions, as for `analyse --areas`, to compare with the marks (LROC, FROC, AFROC)",
    )  # fmt: skip
    parser.add_argument(
        "--radius-px", type=not_negative, default=0.0, metavar="PX",
        help=
            "distance from a lesion's border, in image pixels, within which a mark finds it "
            "(default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--random", choices=RANDOM, default="both",
        help=
            "what is treated as random: readers and cases, only readers, or only cases (default: "
            "both)",
    )  # fmt: skip
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="folder for tables and figures (default: none are written)",
    )
    add_events(parser)
    return parser
