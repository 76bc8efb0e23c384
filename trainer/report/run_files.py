"""Training runs as the report shows them, from their rows and the files in their folders."""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.folder import Study
from migrations.study.run_names import find_run
from migrations.study.schema import TrainingRun
from trainer.errors import ReportError
from trainer.report.data import RunFigures


def runs_of(study: Study, run_ids: Sequence[str] | None, problems: list[str]) -> list[RunFigures]:
    """Return the training runs that are named, by row id or folder name; None: all.

    Raises
    ------
    ReportError
        If a named run does not exist.
    """
    with study.database.read() as session:
        rows = list(session.scalars(select(TrainingRun).order_by(TrainingRun.id)))
    if run_ids is not None:
        try:
            rows = [find_run(rows, name) for name in run_ids]
        except (UnknownName, AmbiguousName) as error:
            raise ReportError(str(error)) from error
    return [run_figures(row, study.folder, problems) for row in rows]


def _hashes(row: TrainingRun, config: dict[str, Any], encoder: Path | None) -> dict[str, str]:
    """Return hashes of config, cohort, relation and encoder, as far as they are known."""
    found = {
        "config": str(config.get("config_hash") or ""),
        "cohort": row.cohort_fingerprint,
        "relation": str(config.get("relation") or ""),
    }
    if encoder is not None:
        with encoder.open("rb") as file:
            found["encoder"] = hashlib.file_digest(file, "sha256").hexdigest()
    return {name: text for name, text in found.items() if text}


def run_figures(row: TrainingRun, root: Path, problems: list[str]) -> RunFigures:
    """Return what the folder of a run tells; the paths of its row begin at `root`."""
    path = root / row.metrics_path
    config: dict[str, Any] = dict(row.config)
    try:
        config = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        problems.append(
            f"Run {row.name}: config.json cannot be read, so the stored settings are shown."
        )
    metrics: list[dict[str, Any]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        problems.append(
            f"Run {row.name}: {row.metrics_path} does not exist, so there are no metrics."
        )
        lines = []
    for line in lines:
        try:
            metrics.append(json.loads(line))
        except ValueError:  # the last line of a run that was killed while writing it
            problems.append(f"Run {row.name}: a damaged line of {path.name} was skipped.")
    encoder = root / row.encoder_path if row.encoder_path else None
    if encoder is not None and not encoder.is_file():
        encoder = None
    return RunFigures(
        row,
        path.parent,
        config,
        [m for m in metrics if "step" in m],
        _hashes(row, config, encoder),
        _held_back(path.parent / "splits.json"),
        encoder,
    )


def _held_back(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("test"), list):
            return len(content["test"])
    return None
