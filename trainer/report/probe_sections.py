"""Sections on probes: tables with intervals, a chart of AUC by labels, paired comparisons."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from migrations.study.processes import as_typed
from trainer.drawing.charts import STYLES, Interval, interval_chart, legend
from trainer.report.page import Cell, Section, figure, missing, paragraph, table

UNFOLDED = 40
_NAMES = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "mae": "MAE",
    "quadratic_kappa": "quadratic kappa",
}


@dataclass(frozen=True, slots=True)
class ProbeFigures:
    """What `python main.py probe` wrote into a folder."""

    name: str
    rows: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]
    provenance: dict[str, Any]


def find_probes(exports: Path) -> list[Path]:
    """Return the folders of results in a study's exports."""
    return sorted(path.parent for path in exports.glob("*/probe.json"))


def read_probes(folders: Iterable[Path], problems: list[str]) -> list[ProbeFigures]:
    """Return the results that can be read; the problems get a sentence for each other."""
    found = [_read_probe(folder, problems) for folder in folders]
    return [probe for probe in found if probe is not None]


def _read_probe(folder: Path, problems: list[str]) -> ProbeFigures | None:
    try:
        rows = _read(folder / "probe.json")
        comparisons = _read(folder / "comparisons.json", [])
        provenance = _read(folder / "about.json", {})
    except (OSError, ValueError) as error:
        problems.append(f"Probe {folder}: the results cannot be read ({error}).")
        return None
    return ProbeFigures(folder.name, rows, comparisons, provenance)


def _read(path: Path, default: Any = None) -> Any:
    if default is not None and not path.exists():
        return default
    return json.loads(path.read_text(encoding="utf-8"))


def probe_section(probes: Sequence[ProbeFigures], hint: str) -> Section:
    """Return tables and charts of all probes."""
    if not probes:
        html = missing(
            as_typed(
                f"No encoder has been probed yet. Run `python main.py probe {hint} --encoder RUN`."
            )
        )
        return Section("probes", "Does it help?", html)
    return Section("probes", "Does it help?", "".join(_one(p, len(probes) > 1) for p in probes))


def _one(found: ProbeFigures, titled: bool) -> str:
    html = f"<h3>{escape(found.name)}</h3>" if titled else ""
    html += _words(found)
    kinds = list(dict.fromkeys(str(row["probe"]) for row in found.rows))
    charts = "".join(_chart(found, kind) for kind in kinds)
    names = _encoders(found.rows)
    html += legend(names[:STYLES]) if charts else ""
    html += f'<div class="charts">{charts}</div>' if charts else ""
    html += "".join(_table(found, kind) for kind in kinds)
    html += _comparisons(found)
    html += "".join(paragraph(str(note), "note") for note in found.provenance.get("notes", ()))
    return html


def _words(found: ProbeFigures) -> str:
    provenance, splits = found.provenance, found.provenance.get("splits", {})
    lead = "Mean over repeats, with 95 % bootstrap intervals over patients and repeats."
    if provenance:
        lead = (
            f"{provenance.get('images')} labelled images of {provenance.get('patients')} patients, "
            f"{len(provenance.get('classes', ()))} classes; split {splits.get('origin')}. {lead}"
        )
    overlaps = [
        f"{e['name']}: {e.get('saw_test_images')}"
        for e in provenance.get("encoders", ())
        if e.get("saw_test_images") not in (None, "none")
    ]
    html = paragraph(lead)
    if overlaps:
        html += paragraph(
            "Test images used in pre-training: " + "; ".join(overlaps) + ".", "research"
        )
    return html


def _encoders(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(_shown(row) for row in rows))


def _shown(row: dict[str, Any]) -> str:
    return f"{row['encoder']} (transductive)" if row.get("transductive") else str(row["encoder"])


def _chart(found: ProbeFigures, kind: str) -> str:
    own = [r for r in found.rows if r["probe"] == kind and r["metric"] == "auc"]
    own = [r for r in own if None not in (r["mean"], r["low"], r["high"])]
    budgets = list(dict.fromkeys(str(r["budget"]) for r in own))
    names = _encoders(found.rows)[:STYLES]
    series = [
        Interval(
            name,
            tuple(
                next(
                    ((r["mean"], r["low"], r["high"]) for r in own
                     if _shown(r) == name and str(r["budget"]) == budget),
                    None,
                )
                for budget in budgets
            ),
            style,
        )
        for style, name in enumerate(names)
    ]  # fmt: skip
    chart = interval_chart(series, budgets, "number of labels", "AUC")
    return (
        figure(chart, f"AUC of the {kind} probe by number of labels, with 95 % intervals")
        if chart
        else ""
    )


def _table(found: ProbeFigures, kind: str) -> str:
    own = [row for row in found.rows if row["probe"] == kind]
    metrics = list(dict.fromkeys(str(row["metric"]) for row in own))
    cells = {(_shown(r), str(r["budget"]), r["metric"]): r for r in own}
    rows: list[list[Cell]] = []
    for budget in dict.fromkeys(str(r["budget"]) for r in own):
        for name in _encoders(own):
            if (name, budget, metrics[0]) in cells:
                values = [_figure(cells.get((name, budget, m))) for m in metrics]
                repeats = int(cells[name, budget, metrics[0]]["repeats"])
                rows.append([budget, name, *values, repeats])
    head = ["labels", "encoder", *(_NAMES.get(m, m) for m in metrics), "repeats"]
    return table(f"{kind} probe: mean [95 % interval]", head, rows)


def _figure(row: dict[str, Any] | None) -> str | None:
    if row is None or row["mean"] is None:
        return None
    if row["low"] is None or row["high"] is None:
        return f"{row['mean']:.2f}"
    return f"{row['mean']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _comparisons(found: ProbeFigures) -> str:
    own = [c for c in found.comparisons if c["metric"] == "auc" and c["difference"] is not None]
    if not own:
        return ""
    rows: list[list[Cell]] = [
        [c["probe"], str(c["budget"]), c["encoder"], c["other"],
         f"{c['difference']:+.2f} [{_signed(c['low'])}, {_signed(c['high'])}]",
         _p(c["p"]), _p(c["p_holm"])]
        for c in own
    ]  # fmt: skip
    tests = ", ".join(sorted({str(c["test"]) for c in own}))
    head = ["probe", "labels", "encoder", "minus", "difference of AUC", "p", "p (Holm)"]
    caption = f"Paired differences on the same splits and labels; two-sided p, {tests}"
    unfolded = " open" if len(rows) <= UNFOLDED else ""  # what is folded is not printed
    summary = f"Paired comparisons ({len(rows)})"
    return f"<details{unfolded}><summary>{summary}</summary>{table(caption, head, rows)}</details>"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _p(value: float | None) -> str | None:
    if value is None:
        return None
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
