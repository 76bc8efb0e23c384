"""docs/study.md and its figure, from the stored lines alone."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from bench.study.plan import (
    DEGREES,
    METHODS,
    SEEDS,
    SEEDS_OF_CONDITIONS,
    Cell,
    all_cells,
    condition_cells,
    measure_cells,
)
from bench.study.summary import BUDGETS, Line, auc, by_cell, gain, over_seeds, right_pairs
from trainer.drawing.charts import Interval, interval_chart
from trainer.drawing.style import standalone

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "study.md"


def write_page(
    checks: Sequence[Line], purity: Sequence[Line], cells: Sequence[Line]
) -> Iterable[Path]:
    """Write page and figure; return what was written."""
    found = by_cell(cells)
    charts = {method: chart for method in METHODS if (chart := _chart(found, method))}
    parts = [
        (Path(__file__).parent / "study_head.md").read_text(encoding="utf-8"),
        _state(cells), _checks(checks), _main(found, charts), _findings(), _purity(purity),
        _conditions(found), _measures(found), _runs(cells),
    ]  # fmt: skip
    PAGE.write_text("\n\n".join(part.strip() for part in parts if part) + "\n", encoding="utf-8")
    written = [PAGE]
    for method, chart in charts.items():
        path = DOCS / "images" / f"study-{method}.svg"
        path.write_text(chart, encoding="utf-8")
        written.append(path)
    return written


def _state(cells: Sequence[Line]) -> str:
    """Say what was run and what was not."""
    done = {json.dumps(line["key"], sort_keys=True) for line in cells}
    rows = []
    for table, seeds in (("main", SEEDS), ("conditions", SEEDS_OF_CONDITIONS),
                         ("measures", SEEDS_OF_CONDITIONS)):  # fmt: skip
        wanted = [c for c in all_cells(seeds) if c.table == table]
        had = sum(1 for c in wanted if json.dumps(c.key, sort_keys=True) in done)
        rows.append([table, str(len(wanted)), str(had), str(len(wanted) - had)])
    text = _table(["table", "cells planned", "run", "not run"], rows)
    text = "## What was run and what was not\n\n" + text
    if all(row[-1] == "0" for row in rows):
        return text
    return text + (
        "\n\nA cell that was not run is absent or a dash below; a figure without an interval "
        "comes from one seed and proves nothing."
    )


def _checks(checks: Sequence[Line]) -> str:
    if not checks:
        return "## Are the phantoms suitable for the question?\n\nNot checked yet."
    rows = []
    for line in checks:
        if line["cell"] == "supervised":
            rows.append(["supervised, 600 labels, fine-tuned", str(line["seed"]), "–", "–", "–",
                         f"{line['auc']:.3f}"])  # fmt: skip
        else:
            values = [f"{line['linear'][b]:.3f}" for b in BUDGETS]
            rows.append(["untrained, linear probe", str(line["seed"]), *values, "–"])
    head = ["net", "seed", *(f"AUC, {b} labels" for b in BUDGETS), "AUC, all labels"]
    return (
        "## Are the phantoms suitable for the question?\n\nA supervised ResNet-18 must reach an "
        "AUC above 0.95 at this image size.\n\n" + _table(head, rows)
    )


def _main(found: dict[str, list[Line]], charts: Iterable[str]) -> str:
    text = (
        "## Gain by degree\n\nFigures: AUC of the linear probe at 10 labels, by source of the "
        "pairs; GzPT solid, McGIP dashed. Bars are 95 % intervals over seeds; points without a bar "
        "have one seed.\n\n"
    )
    for method in METHODS:
        rows = _method_rows(found, method)
        if rows:
            text += f"### {method}\n\n"
            if method in charts:
                text += f"![AUC at 10 labels, {method}](images/study-{method}.svg)\n\n"
            text += f"{_table(_MAIN_HEAD, rows)}\n\n"
    return text + _dropping(found)


def _dropping(found: dict[str, list[Line]]) -> str:
    """Return what GzPT's dropping of pairs changes: gzpt less mcgip of the same seed."""
    rows = []
    for method in METHODS:
        for g in DEGREES:
            gzpt, mcgip = (
                found.get(Cell(method, pairs, g, drop=drop).name, [])
                for pairs, drop in (("gzpt", 0.5), ("mcgip", 0.0))
            )
            both = [gain(gzpt, mcgip, b) for b in BUDGETS]
            if both[0].seeds:
                told = [figure.text(signed=True) for figure in both]
                rows.append([method, f"{g:g}", *told, str(both[0].seeds)])
    if not rows:
        return ""
    head = ["method", "g", *(f"GzPT − McGIP, {b} labels" for b in BUDGETS), "seeds"]
    return "### The effect of dropping half of the pairs\n\n" + _table(head, rows)


_MAIN_HEAD = [
    "pairs", "g", "purity", *(f"AUC {b}" for b in BUDGETS), *(f"gain {b}" for b in BUDGETS),
    "kNN AUC 10", "spread", "seeds",
]  # fmt: skip


def _method_rows(found: dict[str, list[Line]], method: str) -> list[list[str]]:
    plain = found.get(Cell(method, "none").name, [])
    cells = [Cell(method, "none")]
    for pairs in ("gzpt", "mcgip"):
        drop = 0.5 if pairs == "gzpt" else 0.0
        cells += [Cell(method, pairs, g, drop=drop) for g in DEGREES]
    cells.append(Cell(method, "label"))
    return [_row(c, found[c.name], plain) for c in cells if c.name in found]


def _row(cell: Cell, lines: list[Line], plain: list[Line]) -> list[str]:
    gains = ["–"] * 3
    if cell.pairs != "none":
        gains = [gain(lines, plain, b).text(signed=True) for b in BUDGETS]
    return [
        cell.pairs,
        "–" if cell.g is None else f"{cell.g:g}",
        _mean(lines, "purity"),
        *(auc(lines, b).text() for b in BUDGETS),
        *gains,
        auc(lines, "10", "knn").text(),
        _mean(lines, "feature_spread"),
        str(len(lines)),
    ]


def _findings() -> str:
    """Return what people concluded from these tables, written by hand beside this file."""
    path = Path(__file__).parent / "study_findings.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _purity(purity: Sequence[Line]) -> str:
    """Return purity by measure and rule at g = 1, and at g = 0 for the default rule."""
    if not purity:
        return ""
    measures = list(dict.fromkeys(line["key"]["measure"] for line in purity))
    rules = list(dict.fromkeys(row["rule"] for line in purity for row in line["rows"]))
    rows = []
    for measure in measures:
        own = [line for line in purity if line["key"]["measure"] == measure]
        cells = [_purity_cell(own, rule) for rule in rules]
        rows.append([measure, *cells, str(len(own))])
    return (
        "## How pure the pairs are\n\nShare of positive pairs whose images have the same class, "
        "at g = 1 (in brackets: the share of all pairs that is positive). Random pairs: a "
        "third.\n\n" + _table(["measure", *rules, "seeds"], rows)
    )


def _purity_cell(lines: Sequence[Line], rule: str) -> str:
    rows = [r for line in lines for r in line["rows"] if r["rule"] == rule and r["g"] == 1.0]
    values = [r["purity"] for r in rows if r["purity"] is not None]
    if not values:
        return "none"
    rate = float(np.mean([r["positive_rate"] for r in rows]))
    return f"{np.mean(values):.2f} ({rate:.1%})"


def _conditions(found: dict[str, list[Line]]) -> str:
    base = Cell("byol", "gzpt", 1.0)
    cells = [(base, "as in the main table")] + [(c, _changed(base, c)) for c in condition_cells()]
    text = "## What a laboratory can choose: rate, p, readers, cases, tracker (BYOL, gzpt)\n\n"
    return text + _gain_table(found, cells, "changed")


def _measures(found: dict[str, list[Line]]) -> str:
    cells = [(Cell("byol", "gzpt", 1.0), "moment_sequence")] + [
        (c, c.measure) for c in measure_cells()
    ]
    text = "## Which measure carries most (BYOL, gzpt, g = 1, 5 % of the pairs)\n\n"
    return text + _gain_table(found, cells, "measure") + "\n\n" + _explained(found)


def _explained(found: dict[str, list[Line]]) -> str:
    """Say how far purity, and the number of right pairs, explain the gain."""
    plain = found.get(Cell("byol", "none").name, [])
    cells = [Cell("byol", "gzpt", g) for g in DEGREES] + [*condition_cells(), *measure_cells()]
    runs = [line for c in cells for line in found.get(c.name, []) if line.get("purity") is not None]
    gains = [gain([line], plain, "10").mean for line in runs]
    if len(gains) < 3:
        return ""
    purity = spearmanr([line["purity"] for line in runs], gains).statistic
    right = spearmanr(right_pairs(runs), gains).statistic
    return (
        f"What explains the gain at 10 labels, over all {len(runs)} runs of BYOL with GzPT that "
        f"had a pair (every g, condition and measure): rank correlation {purity:.2f} with purity, "
        f"{right:.2f} with the number of right pairs per batch (purity × extra pairs)."
    )


def _gain_table(found: dict[str, list[Line]], cells: Sequence[tuple[Cell, str]], name: str) -> str:
    plain, base = (found.get(c.name, []) for c in (Cell("byol", "none"), cells[0][0]))
    rows = [
        [told, _mean(found[c.name], "purity"), _mean(found[c.name], "positive_rate"),
         _mean(found[c.name], "extra_pairs_per_batch"),
         f"{over_seeds(right_pairs(found[c.name])).mean:.3g}",
         *(gain(found[c.name], plain, b).text(signed=True) for b in BUDGETS),
         "–" if c == cells[0][0] else gain(found[c.name], base, "10").text(signed=True),
         str(len(found[c.name]))]
        for c, told in cells
        if c.name in found
    ]  # fmt: skip
    if len(rows) < 2:
        return "Not run yet."
    head = [name, "purity", "positive rate", "extra pairs a batch", "right ones",
            *(f"gain {b}" for b in BUDGETS), "10: to the first row", "seeds"]  # fmt: skip
    note = (
        "Gains are relative to the plain run of the same seed. The last difference is to the first "
        "row's run of the same seed, because rows differ in their number of seeds.\n\n"
    )
    return note + _table(head, rows)


def _changed(base: Cell, cell: Cell) -> str:
    names = {"positive_rate": "positive rate", "drop": "p", "accuracy_deg": "accuracy (°)",
             "read": "share of images read"}  # fmt: skip
    return ", ".join(
        f"{names.get(k, k)} {v:g}"
        for k, v in cell.key.items()
        if v != base.key.get(k, 1.0) and k != "seed" and v is not None
    )


def _mean(lines: Sequence[Line], field: str) -> str:
    figure = over_seeds([line.get(field) for line in lines])
    return "–" if figure.seeds == 0 else f"{figure.mean:.3g}"


def _chart(found: dict[str, list[Line]], method: str) -> str:
    """Return AUC at 10 labels of a method: from plain over g to labels, a line for each policy."""
    series = []
    for style, (pairs, drop) in enumerate((("gzpt", 0.5), ("mcgip", 0.0))):
        cells = [Cell(method, "none"), *(Cell(method, pairs, g, drop=drop) for g in DEGREES),
                 Cell(method, "label")]  # fmt: skip
        points = tuple(_point(found.get(cell.name, [])) for cell in cells)
        if any(points[1:-1]):
            series.append(Interval(pairs, points, style))
    names = ["plain", *(f"g = {g:g}" for g in DEGREES), "labels"]
    chart = interval_chart(series, names, "pairs from", "AUC at 10 labels")
    return standalone(chart) if chart else ""


def _point(lines: Sequence[Line]) -> tuple[float, float, float] | None:
    """Return mean and interval, cut off at an AUC of 1; without an interval for one seed."""
    figure = auc(lines, "10")
    if figure.seeds < 2:
        return (figure.mean,) * 3 if figure.seeds else None
    return figure.mean, max(figure.low, 0.0), min(figure.high, 1.0)


def _runs(cells: Sequence[Line]) -> str:
    if not cells:
        return ""
    seconds = [line["seconds"] for line in cells]
    codes = list(dict.fromkeys(line["code"] for line in cells))
    return (
        f"## Runs\n\n{len(cells)} cells, {sum(seconds) / 3600:.1f} hours, median "
        f"{np.median(seconds):.0f} s per cell on a machine with 2 cores that others used too; "
        f"made with {len(codes)} commits from {codes[0]} to {codes[-1]} (each line names its own), "
        f"torch {cells[-1]['torch']}. Lines: `bench/study/cells.jsonl`, with every setting."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
