"""What is compared: encoders from files and runs, and the baselines beside them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from migrations.study.errors import UnknownName
from migrations.study.folder import Study
from migrations.study.run_names import find_run, runs_of
from trainer.encoders.files import ENCODER_FILE, encoder_path
from trainer.encoders.info import EncoderInfo
from trainer.encoders.nets import has_fixed_size, make_encoder, seeded_weights
from trainer.errors import NoSuchEncoder
from trainer.probe.inputs import View
from trainer.probe.loading import load_weights

RAW, UNTRAINED, IMAGENET = "raw-pixels", "untrained", "imagenet"
RAW_SIZE = 64


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that turns images into features.

    Attributes
    ----------
    name
        As in the table.
    view
        Height and width of its input, pixels.
    make
        Makes the net; None for raw pixels.
    trained_on
        Fingerprints of the images that its pre-training saw; None where the file does not say.
    facts
        For the record: file, its SHA-256, encoder, config.
    channels
        Of its input.
    baseline
        Whether it only stands beside.
    """

    name: str
    view: View
    make: Callable[[], nn.Module] | None
    trained_on: frozenset[str] | None
    facts: dict[str, Any]
    channels: int = 3
    baseline: bool = False


def make_candidates(
    files: Sequence[tuple[str, Path]], imagenet: Path | None, size: int | None, seed: int
) -> list[Candidate]:
    """Return the encoders of files, then the baselines.

    Parameters
    ----------
    files
        Name and encoder file of each.
    imagenet
        Weights to stand beside as another baseline.
    size
        Side of the input; None takes what each was pre-trained with, else 224.
    seed
        Of the untrained net.

    Raises
    ------
    ProbeError
        If a file is no encoder.
    """
    own = [_of_file(name, path, size) for name, path in files]
    raw = (RAW_SIZE, RAW_SIZE)
    baselines = [Candidate(RAW, raw, None, frozenset(), {"encoder": None}, baseline=True)]
    kinds = dict.fromkeys((str(c.facts["encoder"]), c.view, c.channels) for c in own)
    for number, (encoder, view, channels) in enumerate(kinds):
        name = UNTRAINED if number == 0 else f"{UNTRAINED} ({encoder}, {view[0]} px, {channels})"
        baselines.append(_untrained(name, encoder, view, channels, seed))
    if imagenet is not None:
        beside = _of_file(IMAGENET, imagenet, size or max(c.view[0] for c in own))
        baselines.append(replace(beside, trained_on=frozenset(), baseline=True))
    return [*own, *baselines]


def view_of(info: EncoderInfo, size: int | None = None) -> View:
    """Return height and width of an encoder's input: as in its pre-training, or as asked for.

    The grid of a vision transformer is fixed, and the size of some nets of a library; there
    nothing else can be asked for.
    """
    height = info.size if size is None or has_fixed_size(info.name) else size
    return height, round(height * info.aspect)


def find_encoder(word: str, study: Study | None) -> tuple[str, Path]:
    """Return the name and the encoder file that `--encoder` means: a file, a run folder, a run.

    Raises
    ------
    NoSuchEncoder
        If there is none; says where was looked.
    AmbiguousName
        If several runs of the study are called so.
    """
    path = Path(word)
    if path.is_file():
        return path.name, path
    places = [path] + ([study.runs / word] if study else [])
    for folder in places:
        if (found_there := encoder_path(folder)) != folder:
            return folder.resolve().name, found_there
    if study is not None and (found := _of_run(study, word)) is not None:
        return found
    looked = " or ".join(str(place) for place in places)
    raise NoSuchEncoder(
        f"There is no encoder {word}: no such file, and no {ENCODER_FILE} in {looked}. A run has "
        "its encoder once it has finished."
    )


def _of_run(study: Study, word: str) -> tuple[str, Path] | None:
    """Return the encoder of the study's run that is called so; None where none is, or has one."""
    try:
        run = find_run(runs_of(study), word)
    except UnknownName:
        return None
    path = study.folder / run.encoder_path if run.encoder_path else None
    return (run.name, path) if path is not None and path.is_file() else None


def distinct_names(files: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Give encoders of one name the name of their folder too, and a number if that is the same."""
    names = [name for name, _ in files]
    distinct: list[tuple[str, Path]] = []
    for name, path in files:
        full = name if names.count(name) == 1 else f"{path.resolve().parent.name}/{name}"
        taken = [other for other, _ in distinct]
        number = 2
        unique = full
        while unique in taken or unique in (RAW, UNTRAINED, IMAGENET):
            unique, number = f"{full} ({number})", number + 1
        distinct.append((unique, path))
    return distinct


def _of_file(name: str, path: Path, size: int | None) -> Candidate:
    weights = load_weights(path)
    facts = {
        "file": str(path),
        "sha256": _sha256(path),
        "encoder": weights.info.name,
        "transductive": weights.transductive,
        "config": weights.config,
    }
    view = view_of(weights.info, size)
    return Candidate(name, view, weights.net, weights.trained_on, facts, weights.info.in_channels)


def _untrained(name: str, encoder: str, view: View, channels: int, seed: int) -> Candidate:
    def make() -> nn.Module:
        with seeded_weights(seed):
            return make_encoder(encoder, channels, view[0], view[1] / view[0])[0]

    facts = {"encoder": encoder, "seed": seed}
    return Candidate(name, view, make, frozenset(), facts, channels, baseline=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
