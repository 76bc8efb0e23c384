"""Sections on pre-training: curves, final figures, settings; and on what made the report."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from migrations.study.database import foveate_version
from migrations.study.processes import as_typed
from trainer.drawing.charts import STYLES, Series, legend, line_chart
from trainer.report.data import ReportData, RunFigures
from trainer.report.page import Cell, Section, figure, missing, paragraph, percent, table

_CURVES = (
    ("loss", "loss"),
    ("feature_spread", "feature spread"),
    ("positives_per_anchor", "positives per anchor"),
    ("learning_rate", "learning rate"),
)
PACKAGES = (
    "numpy", "scipy", "numba", "opencv-python-headless", "scikit-learn", "sqlalchemy", "torch",
    "torchvision", "safetensors",
)  # fmt: skip


def runs_section(data: ReportData) -> Section:
    """Return training curves and final figures of the runs."""
    if not data.runs:
        html = missing(
            as_typed(
                "No training has been run yet. Press Pretrain, or run `python main.py train "
                f"{data.hint}`."
            )
        )
        return Section("runs", "Pre-training", html)
    names = _names(data.runs)
    html = _results(data.runs, names, share=data.share)
    shown = data.runs[-STYLES:]
    if any(run.metrics for run in shown):
        html += legend(names[-STYLES:])
        charts = (_curve(shown, names[-STYLES:], *curve) for curve in _CURVES)
        html += f'<div class="charts">{"".join(charts)}</div>'
        html += paragraph(
            "Feature spread is 1 if features fill their space and 0 if all images have the same "
            "features (collapse). An image always forms a positive pair with itself.",
            "note",
        )
    if len(data.runs) > STYLES:
        html += paragraph(f"Curves of the newest {STYLES} runs.", "note")
    return Section("runs", "Pre-training", html)


def settings_section(data: ReportData) -> Section:
    """Return every setting of the runs, of similarity, probes and the study, folded."""
    html = _similarity_settings(data) + _probe_settings(data)
    for run, name in zip(data.runs, _names(data.runs), strict=True):
        rows: list[list[Cell]] = [[key, text] for key, text in flat(run.config)]
        caption = f"Settings of {name}"
        html += f"<details><summary>{escape(caption)}</summary>"
        html += f"{table(caption, ['setting', 'value'], rows)}</details>"
    if data.settings is not None:
        study: list[list[Cell]] = [[name, _text(value)] for name, value in data.settings.items()]
        caption = "Study settings"
        html += f"<details><summary>{caption}</summary>"
        html += f"{table(caption, ['setting', 'value'], study)}</details>"
    return Section("settings", "Appendix: settings", html)


def _similarity_settings(data: ReportData) -> str:
    found = data.similarity
    if found is None:
        return ""
    return _folded(f"Settings of the measure {found.run.measure}", found.run.parameters)


def _probe_settings(data: ReportData) -> str:
    return "".join(
        _folded(
            f"Settings of the probe {probe.name}",
            {k: probe.provenance[k] for k in ("settings", "splits", "labels_sha256")
             if k in probe.provenance}
            | {f"encoder {e['name']}": e.get("sha256") or "no file"
               for e in probe.provenance.get("encoders", ())},
        )
        for probe in data.probes
        if probe.provenance
    )  # fmt: skip


def _folded(caption: str, values: Mapping[str, Any]) -> str:
    rows: list[list[Cell]] = [[key, text] for key, text in flat(values)]
    shown = table(caption, ["setting", "value"], rows)
    return f"<details><summary>{escape(caption)}</summary>{shown}</details>"


def versions_section(data: ReportData) -> Section:
    """Return program, packages, machine and the fingerprint that names the cohort."""
    packages: list[list[Cell]] = [[name, package_version(name)] for name in PACKAGES]
    rows: list[list[Cell]] = [
        ["Foveate", foveate_version()],
        ["Python", platform.python_version()],
        ["system", f"{platform.system()} {platform.release()} {platform.machine()}"],
        *packages,
        ["cohort fingerprint", data.cohort.fingerprint],
    ]
    if data.schema:
        rows.append(["database schema", data.schema])
    rows += [
        [f"{name}, {kind}", text]
        for run, name in zip(data.runs, _names(data.runs), strict=True)
        for kind, text in run.hashes.items()
    ]
    html = table("Software and data; hashes are SHA-256", ["what", "version or hash"], rows)
    html += "".join(paragraph(problem, "missing") for problem in data.problems)
    return Section("versions", "Appendix: versions", html)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted name, text) of nested settings."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(value)


def _names(runs: Sequence[RunFigures]) -> list[str]:
    """Return the names of runs; those that several share get the start of their time."""
    names = [r.run.name for r in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({r.run.started_utc[:19]})"
        for name, r in zip(names, runs, strict=True)
    ]


def _results(runs: Sequence[RunFigures], names: Sequence[str], *, share: bool) -> str:
    rows: list[list[Cell]] = []
    for run, name in zip(runs, names, strict=True):
        loss, details = run.column("loss"), run.run.details
        last = run.metrics[-1] if run.metrics else {}
        rows.append(
            [
                name,
                run.run.state,
                last.get("steps"),
                details.get("loss_first", float(loss[0]) if len(loss) else None),
                details.get("loss_last", float(loss[-1]) if len(loss) else None),
                details.get("feature_spread", last.get("feature_spread")),
                percent(details.get("positive_rate")),
                last.get("positives_per_anchor"),
                last.get("images_per_s"),
                percent(last.get("data_wait")),
            ]
        )
    head = [
        "run", "state", "steps", "loss, first", "loss, last", "feature spread", "positive rate",
        "positives per anchor", "images/s", "data wait",
    ]  # fmt: skip
    if share:
        return table("Runs", head, rows)
    messages = [f"{n}: {r.run.message}" for r, n in zip(runs, names, strict=True) if r.run.message]
    return table("Runs", head, rows) + "".join(paragraph(text, "missing") for text in messages)


def _curve(runs: Sequence[RunFigures], names: Sequence[str], column: str, title: str) -> str:
    series = [
        Series(name, run.column("step"), run.column(column), k)
        for k, (run, name) in enumerate(zip(runs, names, strict=True))
        if run.metrics
    ]
    chart = line_chart(series, "step", title)
    return figure(chart, f"{title.capitalize()} by step") if chart else ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def package_version(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
