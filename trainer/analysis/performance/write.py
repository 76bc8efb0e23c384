"""Results of a reader study as files: performance.json, tables, and layouts of other tools."""

import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from migrations.study.csv_cells import CsvWriter
from migrations.study.incomplete import marked_incomplete
from migrations.study.unwritable import unwritable_text
from trainer.analysis.figures.figure import Figure, write_figures
from trainer.analysis.performance.figures.curves import LOCALISED, localised_figure, roc_figure
from trainer.analysis.performance.figures.forest import forest_figure
from trainer.analysis.performance.other_tools import write_imrmc, write_rjafroc
from trainer.analysis.performance.ratings import Ratings
from trainer.analysis.performance.result import curves_of
from trainer.errors import PerformanceError


def write_performance(folder: Path, ratings: Ratings, found: Mapping[str, Any]) -> list[str]:
    """Write everything into a folder, made if missing, and return the files' names.

    Raises
    ------
    PerformanceError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # First: names that its layout cannot hold are refused before anything is written.
        write_imrmc(folder / "ratings.imrmc", ratings, "Written by Foveate")
        with marked_incomplete(folder):
            return _written(folder, ratings, found)
    except OSError as error:
        raise PerformanceError(unwritable_text(folder, error)) from error


def _written(folder: Path, ratings: Ratings, found: Mapping[str, Any]) -> list[str]:
    _replace(folder / "performance.json", json.dumps(found, indent=2) + "\n")
    _table(folder / "auc.csv", found["auc_by_reader"])
    _table(folder / "roc.csv", curves_of(ratings))
    names = ["performance.json", "auc.csv", "roc.csv", "ratings.imrmc"]
    for key, name in (
        ("localisation_curves", "localisation.csv"), ("marks", "marks.csv"),
        ("answers", "answers.csv"),
    ):  # fmt: skip
        if found.get(key):
            _table(folder / name, found[key])
            names.append(name)
        else:  # one of an earlier call would pass for this one's
            (folder / name).unlink(missing_ok=True)
    if find_spec("openpyxl"):
        write_rjafroc(folder / "rjafroc.xlsx", ratings)
        names.append("rjafroc.xlsx")
    else:
        (folder / "rjafroc.xlsx").unlink(missing_ok=True)
    return [*names, *write_figures(folder, figures_of(ratings, found))]


def figures_of(ratings: Ratings, found: Mapping[str, Any]) -> list[Figure]:
    """Return the figures of a reader study; AFROC where marks were held against lesions."""
    notes = [f"Left out: {note}." for note in found.get("left_out", ())]
    points = found.get("localisation_curves", ())
    localised = [figure for name in LOCALISED if (figure := localised_figure(points, name))]
    drawn = [
        roc_figure(ratings, bool(found.get("answers"))),
        *localised,
        forest_figure(ratings, found),
    ]
    return [figure.with_notes(notes) for figure in drawn]


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        CsvWriter(file).table(list(rows[0]), rows)
