"""Pre-training runs side by side: settings that differ, curves, probe results."""

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from migrations.study.csv_cells import CsvWriter
from migrations.study.folder import Study
from migrations.study.schema import TrainingRun

CURVES = {
    "loss": "Loss",
    "knn": "kNN accuracy",
    "rank_me": "RankMe",
    "feature_spread": "Feature spread",
    "positives_per_anchor": "Positives per image",
    "learning_rate": "Learning rate",
    "data_wait": "Data loading",
    "images_per_s": "Images per second",
}
"""Signals of a run, as named in its `metrics.jsonl`, and their display names."""
NOTE, TAGS = "note", "tags"
"""Key in a run's `details` of what a researcher wrote."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; paths are absolute, or None if the file does not exist."""

    id: str
    name: str
    state: str
    started_utc: str
    config: dict[str, Any]
    details: dict[str, Any]
    folder: Path
    encoder: Path | None
    report: Path | None
    metrics: Path
    message: str

    @property
    def note(self) -> str:
        """A researcher's note about it."""
        return str(self.details.get(NOTE) or "")

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags for grouping."""
        found = self.details.get(TAGS)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def title(self) -> str:
        """What the researcher calls it."""
        return f"{self.name}, {self.started_utc[:16].replace('T', ' ')}"


def runs(study: Study) -> tuple[RunRow, ...]:
    """Return all runs, newest first."""
    with study.database.read() as session:
        rows = session.scalars(select(TrainingRun).order_by(TrainingRun.id.desc())).all()
    return tuple(_row(study, row) for row in rows)


def differences(chosen: Sequence[RunRow]) -> list[tuple[str, list[str]]]:
    """Return the settings in which runs differ: name and each run's value, as text."""
    names = dict.fromkeys(name for run in chosen for name in run.config)
    found = []
    for name in names:
        values = [_text(run.config.get(name)) for run in chosen]
        if len(set(values)) > 1:
            found.append((name, values))
    return found


def curve(run: RunRow, name: str) -> list[tuple[int, float]]:
    """Return (step, value) of a signal; each step of a resumed run appears once."""
    points: dict[int, float] = {}
    with contextlib.suppress(OSError):
        for line in run.metrics.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                event = json.loads(line)
                points[int(event["step"])] = float(event[name])
    return sorted(points.items())


def signals(chosen: Iterable[RunRow]) -> list[str]:
    """Return the signals that any of some runs has reported."""
    return [name for name in CURVES if any(curve(run, name) for run in chosen)]


def write_table(shown: Sequence[RunRow], path: Path) -> None:
    """Write runs as csv: what the page shows of each, and every setting.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    settings = dict.fromkeys(name for run in shown for name in run.config)
    figures = ("images", "steps", "loss_last", "positive_rate", "training_seconds")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file)
        writer.row(("run", "name", "state", "started_utc", TAGS, NOTE, *figures, *settings))
        for run in shown:
            known = [run.details.get(name) for name in figures]
            chosen = [run.config.get(name) for name in settings]
            writer.row(
                (run.folder.name, run.name, run.state, run.started_utc, " ".join(run.tags),
                 run.note, *("" if v is None else v for v in (*known, *chosen)))
            )  # fmt: skip


def probe_rows(run: RunRow) -> list[dict[str, Any]]:
    """Return the rows of a run's `probe.json`, empty where it was not probed."""
    for path in (run.folder / "probe.json", run.folder / "probe" / "probe.json"):
        with contextlib.suppress(OSError, ValueError):
            rows = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(rows, list):
                return [row for row in rows if isinstance(row, dict)]
    return []


def _row(study: Study, row: TrainingRun) -> RunRow:
    metrics = study.folder / row.metrics_path
    return RunRow(
        id=row.id,
        name=row.name,
        state=row.state,
        started_utc=row.started_utc,
        config=dict(row.config),
        details=dict(row.details),
        folder=metrics.parent,
        encoder=_existing(study, row.encoder_path),
        report=_existing(study, row.report_path),
        metrics=metrics,
        message=row.message or "",
    )


def _existing(study: Study, stored: str | None) -> Path | None:
    path = study.folder / stored if stored else None
    return path if path is not None and path.is_file() else None


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else str(value)
