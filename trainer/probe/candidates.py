"""What is compared: encoders from files and runs, and the baselines beside them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from migrations.study import Study
from trainer.encoders import make_encoder, seeded_weights
from trainer.errors import ProbeError
from trainer.probe.loading import load_weights

RAW, UNTRAINED, IMAGENET = "raw-pixels", "untrained", "imagenet"
RAW_SIZE = 64
DEFAULT_SIZE = 224
ENCODER_FILE = "encoder.safetensors"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that turns images into features.

    Attributes
    ----------
    name
        As in the table.
    size
        Side of its input, pixels.
    make
        Makes the net; None for raw pixels.
    seen
        Fingerprints of the images that its pre-training saw; None where the file does not say.
    about
        Facts for the record: file, its SHA-256, encoder, config.
    baseline
        Whether it only stands beside.
    """

    name: str
    size: int
    make: Callable[[], nn.Module] | None
    seen: frozenset[str] | None
    about: dict[str, Any]
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
    given_size = size or max((c.size for c in own), default=DEFAULT_SIZE)
    baselines = [Candidate(RAW, RAW_SIZE, None, frozenset(), {"encoder": None}, True)]
    kinds = dict.fromkeys((str(c.about["encoder"]), c.size) for c in own)
    for number, (encoder, own_size) in enumerate(kinds):
        name = UNTRAINED if number == 0 else f"{UNTRAINED} ({encoder}, {own_size} px)"
        baselines.append(_untrained(name, encoder, own_size, seed))
    if imagenet is not None:
        weights = load_weights(imagenet)
        about = {"file": str(imagenet), "sha256": _sha256(imagenet), "encoder": weights.encoder}
        baselines.append(Candidate(IMAGENET, given_size, weights.net, frozenset(), about, True))
    return [*own, *baselines]


def find_encoder(word: str, study: Study | None) -> tuple[str, Path]:
    """Return the name and the encoder file that `--encoder` means: a file, a run folder, a run.

    Raises
    ------
    ProbeError
        If there is none; says where was looked.
    """
    path = Path(word)
    if path.is_file():
        return path.name, path
    places = [path] + ([study.runs / word] if study else [])
    for folder in places:
        if (folder / ENCODER_FILE).is_file():
            return folder.resolve().name, folder / ENCODER_FILE
    looked = " or ".join(str(place) for place in places)
    raise ProbeError(
        f"--encoder {word}: there is no such file, and no {ENCODER_FILE} in {looked}. A run has "
        "its encoder when it has finished."
    )


def distinct_names(files: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Give encoders of one name the name of their folder too, and a number if that is the same."""
    names = [name for name, _ in files]
    told: list[tuple[str, Path]] = []
    for name, path in files:
        full = name if names.count(name) == 1 else f"{path.resolve().parent.name}/{name}"
        taken = [other for other, _ in told]
        number = 2
        unique = full
        while unique in taken or unique in (RAW, UNTRAINED, IMAGENET):
            unique, number = f"{full} ({number})", number + 1
        told.append((unique, path))
    return told


def _of_file(name: str, path: Path, size: int | None) -> Candidate:
    weights = load_weights(path)
    about = {
        "file": str(path),
        "sha256": _sha256(path),
        "encoder": weights.encoder,
        "transductive": weights.transductive,
        "config": weights.config,
    }
    return Candidate(name, size or weights.size or DEFAULT_SIZE, weights.net, weights.seen, about)


def _untrained(name: str, encoder: str, size: int, seed: int) -> Candidate:
    def make() -> nn.Module:
        with seeded_weights(seed):
            return make_encoder(encoder)[0]

    return Candidate(name, size, make, frozenset(), {"encoder": encoder, "seed": seed}, True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
