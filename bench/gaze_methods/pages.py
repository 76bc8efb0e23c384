"""docs/gaze-methods.md, from the stored lines alone."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.gaze_methods.bars import Bar, Found, bars
from bench.gaze_methods.plan import PLAN, Cell, all_cells
from bench.study.summary import BUDGETS, Line, auc, by_cell, gain, over_seeds

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parents[1] / "docs" / "gaze-methods.md"


def write_page(checks: Sequence[Line], cells: Sequence[Line]) -> Path:
    """Write the page and return its path."""
    found = by_cell(cells)
    parts = [
        (FOLDER / "head.md").read_text(encoding="utf-8"),
        _checks(checks), _bars(found), _cells(found), _curve(found), _findings(), _state(cells),
    ]  # fmt: skip
    PAGE.write_text("\n\n".join(part.strip() for part in parts if part) + "\n", encoding="utf-8")
    return PAGE


def _checks(checks: Sequence[Line]) -> str:
    rows = [
        [str(c["seed"]), f"{c['supervised']:.3f}", *(f"{c['untrained'][b]:.3f}" for b in BUDGETS)]
        for c in checks
    ]
    head = ["seed", "taught with all labels", *(f"untaught, {b} labels" for b in BUDGETS)]
    return "## Room for the question\n\nAUC of resnet10.\n\n" + _table(head, rows) if rows else ""


def _bars(found: Found) -> str:
    rows = [
        [bar.name, bar.asks, bar.figure.text(signed=True), str(bar.figure.seeds),
         _told(bar)]
        for bar in bars(found)
    ]  # fmt: skip
    head = ["of", "asks", "difference of AUC, 10 labels", "seeds", "bar"]
    return "## The bars\n\n" + _table(head, rows)


def _told(bar: Bar) -> str:
    """Return what became of a bar; of fewer seeds than planned nothing is settled."""
    if bar.met is None:
        return "not measured"
    planned = max(seeds for _, seeds in PLAN)
    open_still = "" if bar.figure.seeds >= planned else f", so far ({planned} seeds planned)"
    return ("met" if bar.met else "missed") + open_still


def _cells(found: Found) -> str:
    rows = []
    for cell, seeds in PLAN:
        lines = found.get(cell.name, [])
        plain = found.get(Cell().name, [])
        full = found.get(replace(cell, method="gzpt", order="gaze").name, [])
        compared = cell.g is not None and cell.method != "gzpt"
        rows.append(
            [cell.name, _mean(lines, "purity"), *(auc(lines, b).text() for b in BUDGETS),
             "–" if cell.method == "plain" else gain(lines, plain, "10").text(signed=True),
             gain(lines, full, "10").text(signed=True) if compared else "–",
             f"{len(lines)} of {seeds}"]
        )  # fmt: skip
    head = ["cell", "purity", *(f"AUC {b}" for b in BUDGETS), "to plain, 10",
            "to GzPT of the same g and share read, 10", "seeds run"]  # fmt: skip
    return "## Every cell\n\n" + _table(head, rows)


def _curve(found: Found) -> str:
    """Return the gain over the share of images with gaze."""
    plain, rows = found.get(Cell().name, []), []
    for share in (0.1, 0.3, 0.8):
        told = [f"{share:.0%}"]
        for method in ("gzpt", "predicted"):
            lines = found.get(Cell(method, g=1.0, read=share).name, [])
            told.append(gain(lines, plain, "10").text(signed=True))
        rows.append(told)
    head = ["images read", "GzPT", "GzPT and predicted pairs"]
    return (
        "## Learning curve over the share of images with gaze\n\nGain over plain at 10 labels, "
        "g = 1.\n\n" + _table(head, rows)
    )


def _findings() -> str:
    path = FOLDER / "findings.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _state(cells: Sequence[Line]) -> str:
    done = {json.dumps(line["key"], sort_keys=True) for line in cells}
    wanted = {json.dumps(c.key, sort_keys=True) for c in all_cells()}
    text = f"## What ran\n\n{len(wanted & done)} of {len(wanted)} cells."
    if not cells:
        return text
    codes = list(dict.fromkeys(line["code"] for line in cells))
    seconds = over_seeds([line["cpu_s"] for line in cells]).mean
    return (
        f"{text} {seconds:.0f} s of one core per cell on average, torch {cells[-1]['torch']}; "
        f"commits {', '.join(codes)}. Lines: `bench/gaze_methods/cells.jsonl`."
    )


def _mean(lines: Sequence[Line], field: str) -> str:
    figure = over_seeds([line.get(field) for line in lines])
    return "–" if figure.seeds == 0 else f"{figure.mean:.3g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
