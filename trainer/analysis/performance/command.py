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
from rich.table import Table

from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_study,
    not_negative,
)
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
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
from trainer.analysis.performance.study_ratings import StudyRatings, study_ratings
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
        sys.stderr.write("Stopped.\n")
        return 3
    return 0


def _work(options: argparse.Namespace) -> None:
    tell("stage", stage="answers", message="Reading and comparing answers and marks.")
    ratings, found = _found(options)
    if not is_told():
        # Names are text: without this "[x]" would vanish and ":+1:" become a picture.
        console = Console(width=None if sys.stdout.isatty() else 120, markup=False, emoji=False)
        _show(found, console)
    if options.out:
        names = write_performance(options.out, ratings, found)
        tell("result", folder=str(options.out.absolute()), files=names)
        if not is_told():
            console.print(f"Written to {options.out}: {', '.join(names)}", soft_wrap=True)


def _misused(options: argparse.Namespace) -> str | None:
    if options.study and options.positive is None:
        return "--study needs --positive VALUE, the answer that means a case is positive."
    if options.ratings and any(_of_study(options)):
        return "--truth, --question, --confidence, --positive and --areas only work with --study."
    return None


def _of_study(options: argparse.Namespace) -> list[Any]:
    return [options.truth, options.question, options.confidence, options.positive, options.areas]


def _found(options: argparse.Namespace) -> tuple[Ratings, dict[str, Any]]:
    if options.ratings:
        ratings = read_ratings(options.ratings)
        return ratings, performance_of(ratings, options.random)
    with contextlib.closing(Study.open(options.study)) as study:
        said = study_ratings(
            study, options.positive, options.question, options.truth, options.confidence
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
        "--question", metavar="KEY", help="key of the question (default: the main one)"
    )
    parser.add_argument(
        "--confidence", metavar="KEY",
        help="key of the confidence that belongs to the answer, where a form asks for several",
    )  # fmt: skip
    parser.add_argument(
        "--positive", metavar="VALUE",
        help="the answer that means a case is positive; for a scale, the lowest such value",
    )  # fmt: skip
    parser.add_argument(
        "--areas", type=existing_file, metavar="FILE",
        help="lesions, as in `analyse --areas`, to compare with marks (LROC, FROC, AFROC)",
    )  # fmt: skip
    parser.add_argument(
        "--radius-px", type=not_negative, default=0.0, metavar="PX",
        help="a mark within this distance of a lesion's border finds it, in image pixels "
             "(default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--random", choices=RANDOM, default="both",
        help="which are treated as random: both readers and cases, only readers, or only cases "
             "(default: both)",
    )  # fmt: skip
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="folder for tables and figures (default: none are written)",
    )
    add_events(parser)
    return parser


def _show(found: Mapping[str, Any], console: Console) -> None:
    table = Table(title="Area under the ROC curve (empirical)")
    table.add_column("Reader")
    for arm in found["arms"]:
        table.add_column(f"Arm {arm}", justify="right")
    by_reader = {(row["arm"], row["reader"]): row["auc"] for row in found["auc_by_reader"]}
    for reader in found["readers"]:
        table.add_row(reader, *(f"{by_reader[arm, reader]:.3f}" for arm in found["arms"]))
    table.add_section()
    table.add_row("Mean", *(f"{value:.3f}" for value in found["auc"]))
    table.add_row("95 %", *(_interval(*pair) for pair in found["auc_interval"]))
    console.print(table)
    console.print(f"Design: {found['design']}.", highlight=False)
    for line in (*_decided(found), *_sentences(found), *_by_afroc(found)):
        console.print(line, highlight=False)


def _decided(found: Mapping[str, Any]) -> list[str]:
    """Return a line for each reader of a study's decisions, and what was left out."""
    lines = [
        f"{row['reader']}, arm {row['arm']}: sensitivity {_share(row['sensitivity'])}, "
        f"specificity {_share(row['specificity'])}."
        for row in found.get("decisions", ())
    ]
    lines += [
        f"{row['reader']}, repeated: {100 * row['same_call']:.0f} % of {row['cases']} calls the "
        "same."
        for row in found.get("within_reader", ())
    ]
    lines += [
        f"{row['reader']}, arm {row['arm']}: {row['lesions_found']} of {row['lesions']} lesions "
        f"marked, {row['false_marks_per_case']:.2f} false marks per case, AFROC "
        f"{_area(row['afroc_area'])}, weighted AFROC {_area(row['wafroc_area'])}."
        for row in found.get("localisation", ())
    ]
    lines += [f"Note: {remark}." for remark in found.get("remarks", ())]
    return lines + [f"Left out: {note}." for note in found.get("left_out", ())]


def _area(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _by_afroc(found: Mapping[str, Any]) -> list[str]:
    """Return how arms differ in their AFROC, where marks were held against lesions."""
    named = (("localisation_comparison", "afroc", "AFROC areas"),
             ("wafroc_comparison", "wafroc", "Weighted AFROC areas"))  # fmt: skip
    return [line for key, area, words in named
            for line in _compared_by(found.get(key, {}), area, words)]  # fmt: skip


def _compared_by(compared: Mapping[str, Any], area: str, words: str) -> list[str]:
    if len(compared.get("arms", ())) < 2:
        return []
    if "not_compared" in compared or compared["F"] is None:
        why = compared.get("not_compared", "neither arms nor readers nor cases make a difference.")
        return [f"{words} not compared: {why}"]
    ddf = "∞" if compared["ddf"] is None else f"{compared['ddf']:.1f}"
    means = ", ".join(
        f"{arm} {value:.3f}" for arm, value in zip(compared["arms"], compared[area], strict=True)
    )
    return [
        f"{words} ({means}), equal arms: F({len(compared['arms']) - 1}, {ddf}) = "
        f"{compared['F']:.3f}, p = {compared['p']:.4f}."
    ]


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "not known"
    return (
        f"{share['value']:.2f} [{share['low']:.2f}, {share['high']:.2f}] "
        f"({share['hits']} of {share['count']})"
    )


def _interval(low: float | None, high: float | None) -> str:
    return "not known" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _sentences(found: Mapping[str, Any]) -> list[str]:
    if "not_compared" in found:
        return [f"Not compared: {found['not_compared']}"]
    if len(found["arms"]) < 2:
        return ["There is only one arm: nothing to compare."]
    if found["F"] is None:
        return ["Not compared: arms, readers and cases make no difference to test."]
    ddf = "∞" if found["ddf"] is None else f"{found['ddf']:.1f}"
    lines = [
        f"Equal arms: F({len(found['arms']) - 1}, {ddf}) = {found['F']:.3f}, p = {found['p']:.4f} "
        f"(Obuchowski-Rockette, jackknife, {found['random']} random)."
    ]
    if len(found["arms"]) == 2:
        first, second = found["arms"]
        lines.append(
            f"Difference {first} minus {second}: {found['difference']:.4f} [{found['low']:.4f}, "
            f"{found['high']:.4f}]."
        )
    return lines
