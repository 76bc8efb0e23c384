"""Checkpoints: tensors and plain values only, written at once or not at all, the last two kept."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainer.config.config import RunConfig
from trainer.config.methods import find_method
from trainer.errors import CheckpointError

_VERSION = 1
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Identity:
    """What a checkpoint belongs to.

    Attributes
    ----------
    config
        Settings of the run.
    cohort
        Fingerprint of the cohort.
    relation
        Hash of the pairs; empty where a run has none.
    images
        Number of images trained on.
    init
        Hash of the file that weights start from; empty for a random start.
    """

    config: RunConfig
    cohort: str
    relation: str
    images: int
    init: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as stored."""
        return {
            "config": self.config.shaping(),
            "config_hash": self.config.hash(),
            "cohort": self.cohort,
            "relation": self.relation,
            "images": self.images,
            "init": self.init,
            **self._draws,
        }

    @property
    def _draws(self) -> dict[str, int]:
        """Return how dropped pairs are drawn where that has changed: with a queue, as the second.

        Runs of the first kind drew all cells of the mask, and would go on with other numbers.
        """
        redrawn = self.config.pairs == "gzpt" and find_method(self.config.method).queue
        return {"pair_draws": 2} if redrawn else {}

    def key(self) -> dict[str, Any]:
        """Return what tells runs apart at a glance: hashes only."""
        return {k: v for k, v in self.as_dict().items() if k != "config"}


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a run folder, newest first."""
    return sorted(folder.glob("checkpoint-*.pt"), reverse=True)


def save_checkpoint(folder: Path, step: int, identity: Identity, state: Mapping[str, Any]) -> Path:
    """Write the checkpoint of a step and delete all but the last two.

    A power cut leaves the old file or the new one, never half of one.

    Raises
    ------
    CheckpointError
        If the disk is full or the folder cannot be written; older checkpoints stay.
    """
    path = folder / f"checkpoint-{step:09d}.pt"
    partial = path.with_suffix(".partial")
    content = {"version": _VERSION, "step": step, "identity": identity.as_dict(), **state}
    try:
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path} cannot be written: {error}. Free some disk space and start the training "
            "again; it continues from the last checkpoint."
        ) from error
    for old in checkpoints(folder)[_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def delete_older(newest: Path) -> None:
    """Delete the other checkpoints of a run folder: a finished run goes on from none of them."""
    for path in checkpoints(newest.parent):
        if path != newest:
            path.unlink(missing_ok=True)


def load_checkpoint(path: Path, identity: Identity) -> dict[str, Any]:
    """Return the content of a checkpoint that belongs to this config, cohort and relation.

    Raises
    ------
    CheckpointError
        If it is damaged, or belongs to another run: names what differs.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        version, theirs = content["version"], content["identity"]
    except Exception as error:  # torch raises anything from EOFError to UnpicklingError
        raise CheckpointError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    if version != _VERSION:
        raise CheckpointError(
            f"{path} has layout {version}, but this version of Foveate reads {_VERSION}. Start "
            "the run afresh."
        )
    require_same(path, identity, theirs)
    return content


def load_newest(folder: Path, identity: Identity) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the newest sound checkpoint, None where there is none, and what was wrong with others.

    Raises
    ------
    CheckpointError
        If it belongs to another config, cohort or relation, or if all are damaged.
    """
    problems: list[str] = []
    for path in checkpoints(folder):
        try:
            return load_checkpoint(path, identity), problems
        except CheckpointError as error:
            if not isinstance(error.__cause__, Exception):
                raise
            problems.append(str(error))
    if problems:
        raise CheckpointError(
            "\n".join([*problems, f"{folder} has no undamaged checkpoint. Start the run afresh."])
        )
    return None, problems


def require_same(path: Path, identity: Identity, theirs: Mapping[str, Any]) -> None:
    """Refuse what belongs to another run; `theirs` as `Identity.as_dict` gave it.

    Raises
    ------
    CheckpointError
        Naming each difference.
    """
    ours = identity.as_dict()
    lines = differences(ours["config"], theirs["config"])
    if ours["images"] != theirs["images"]:
        lines.append(f"images: {ours['images']} here, {theirs['images']} there")
    if ours["cohort"] != theirs["cohort"]:
        lines.append(f"cohort fingerprint: {ours['cohort']} here, {theirs['cohort']} there")
    if ours["init"] != theirs.get("init", ""):
        lines.append(f"init (hash): {ours['init']} here, {theirs.get('init', '')} there")
    if ours["relation"] != theirs["relation"]:
        lines.append(f"pairs (hash): {ours['relation']} here, {theirs['relation']} there")
    if ours.get("pair_draws") != theirs.get("pair_draws"):
        lines.append(
            "dropped pairs: drawn among related pairs here, among all pairs there (older version)"
        )
    if lines:
        raise CheckpointError(
            f"{path} belongs to another run:\n  " + "\n  ".join(lines) + "\nUse the same settings "
            "to continue it, or start a new run."
        )


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Return one line for each field of two configs (`shaping`) that differs: ours against theirs.

    Examples
    --------
    >>> differences({"batch": 32, "size": 64}, {"batch": 16, "size": 64})
    ['batch: 32 here, 16 there']
    """
    names = list(ours) + [n for n in theirs if n not in ours]
    return [
        f"{name}: {_shown(ours, name)} here, {_shown(theirs, name)} there"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def _shown(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name]) if name in values else "absent"
