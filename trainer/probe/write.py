"""Results as files: probe.json, probe.csv, and what it takes to trust and repeat them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from migrations.study.csv_cells import CsvWriter
from migrations.study.incomplete import marked_incomplete
from migrations.study.unwritable import unwritable_text
from trainer.errors import ProbeError
from trainer.probe.evaluate import Row
from trainer.probe.run import Answer
from trainer.probe.splits import splits_as_json

COLUMNS = ("encoder", "probe", "budget", "metric", "mean", "low", "high", "repeats")


def told_rows(answer: Answer) -> list[Row]:
    """Return the rows, those of encoders that have seen test images marked as transductive."""
    return [
        {**row, "transductive": True} if answer.overlaps[row["encoder"]].transductive else row
        for row in answer.outcome.rows
    ]


def write_results(folder: Path, answer: Answer, provenance: Mapping[str, Any]) -> None:
    """Write everything into a folder.

    - ``probe.json``, ``probe.csv``: the rows;
    - ``comparisons.csv``: paired differences with p;
    - ``splits.json``: who was trained on and tested, for ``--splits``;
    - ``choices.json``: what each fit chose within its training images;
    - ``about.json``: settings, versions and hashes.

    Raises
    ------
    ProbeError
        If the folder cannot be written.
    """
    rows = told_rows(answer)
    columns = COLUMNS + (("transductive",) if any("transductive" in r for r in rows) else ())
    splits = splits_as_json(answer.data, answer.splits, answer.settings.seed)
    try:
        with marked_incomplete(folder):
            _json(folder / "probe.json", rows)
            _csv(folder / "probe.csv", columns, rows)
            differences = [asdict(d) for d in answer.outcome.differences]
            _csv(folder / "comparisons.csv", _DIFFERENCE, differences)
            _json(folder / "comparisons.json", differences)
            _json(folder / "splits.json", splits)
            _json(folder / "choices.json", answer.outcome.choices)
            _json(folder / "about.json", provenance)
    except OSError as error:
        raise ProbeError(unwritable_text(folder, error)) from error


_DIFFERENCE = (
    "encoder", "other", "probe", "budget", "metric", "difference", "low", "high", "p", "p_holm",
    "test", "repeats",
)  # fmt: skip


def _json(path: Path, content: Any) -> None:
    text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _plain(content: Any) -> Any:
    """Return JSON values; a number that is none becomes null."""
    if isinstance(content, float):
        return content if content == content and abs(content) != float("inf") else None
    if isinstance(content, Mapping):
        return {str(k): _plain(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(v) for v in content]
    return content


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        CsvWriter(file, end="\n").table(columns, rows)
