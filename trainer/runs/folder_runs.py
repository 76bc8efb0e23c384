"""Runs without a database: each keeps its own row in `run.json` of its folder."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrations.study.schema import new_id, utc_now
from trainer.pretrain.checkpoint import Identity, checkpoints
from trainer.runs.study_runs import made_folder, new_folder, write_config


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A run of a folder of images; see `Record`."""

    run_id: str
    folder: Path
    continued: bool

    def update(self, **values: Any) -> None:
        """Change `run.json`; `details` are added to those there."""
        row = read_run(self.folder)
        details = {**row.get("details", {}), **values.pop("details", {})}
        _write(self.folder, {**row, **values, "details": details})

    def stored(self, path: Path) -> str:
        """Return the path of a file within the run folder where it lies there."""
        with contextlib.suppress(ValueError):
            return path.resolve().relative_to(self.folder.resolve()).as_posix()
        return path.resolve().as_posix()


def open_folder_run(
    runs: Path, identity: Identity, *, fresh: bool, out: Path | None
) -> FolderRecord:
    """Return the newest unfinished run of the same config, images and pairs, or a new one.

    Raises
    ------
    CheckpointError
        If `out` holds a finished run, or any run while `fresh`.
    RunFolderError
        If the folder cannot be made.
    """
    places = [out] if out else sorted(runs.glob("*/"), reverse=True) if runs.is_dir() else []
    for folder in [] if fresh else places:
        row = read_run(folder)
        unfinished = row.get("state") not in (None, "finished")
        if unfinished and row.get("identity") == identity.key():
            record = FolderRecord(row["id"], folder, continued=bool(checkpoints(folder)))
            record.update(state="running", ended_utc=None, message=None)
            return record
    folder = made_folder(out, fresh, identity) if out else new_folder(runs, identity)
    record = FolderRecord(new_id(), folder, continued=bool(checkpoints(folder)))
    write_config(record.folder, identity)
    _write(folder, {
        "id": record.run_id,
        "name": identity.config.run_name,
        "state": "running",
        "started_utc": utc_now(),
        "identity": identity.key(),
    })  # fmt: skip
    return record


def read_run(folder: Path) -> dict[str, Any]:
    """Return `run.json` of a run folder; empty where it is none."""
    with contextlib.suppress(OSError, ValueError):
        row = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if isinstance(row, dict):
            return row
    return {}


def _write(folder: Path, row: dict[str, Any]) -> None:
    partial = folder / "run.json.partial"
    partial.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / "run.json")
