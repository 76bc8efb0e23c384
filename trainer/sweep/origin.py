"""What a sweep is of: a study and its measures, or a folder of images and its relation files."""

import argparse
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migrations.study.folder import SERVER, URL_VARIABLE
from trainer.data.image_folder import find_images, read_labels, read_split_file
from trainer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Origin:
    """Where images and pairs come from.

    Attributes
    ----------
    words
        Options that name the images, of `train` and `probe` alike.
    gaze
        Each way of pairing images by gaze: its name, and the options of `train` for it.
    out
        Where rows go unless told.
    of_server
        What tells rows of a server's readings from those of the study's own; empty for these.
    """

    words: tuple[str, ...]
    gaze: Mapping[str, tuple[str, ...]]
    out: Path
    of_server: tuple[str, ...] = ()


def origin_of(options: argparse.Namespace) -> Origin:
    """Return where the images come from.

    Raises
    ------
    ConfigError
        Naming the option that is missing, wrong or one too many.
    ImageFolderError
        If labels or splits do not fit the images.
    """
    if (options.study is None) == (options.images is None):
        raise ConfigError("Use either --study FOLDER or --images FOLDER.")
    return _study(options) if options.images is None else _folder(options)


def _study(options: argparse.Namespace) -> Origin:
    study: Path = options.study
    if not (study / "study.toml").is_file():
        raise ConfigError(f"--study {study} is not a Foveate study (it has no study.toml).")
    if options.relation or options.labels or options.splits:
        raise ConfigError("--relation, --labels and --splits only work with --images.")
    gaze = {name: ("--measure", name) for name in options.measures or ["auto"]}
    words, server = ["--study", str(study)], []
    if options.database:
        words += ["--database", options.database]
        server = ["of", _digest(options.database)]
    return Origin(tuple(words), gaze, study / "exports" / "sweep", tuple(server))


def _digest(database: str) -> str:
    """Return what a server is told by in the rows; its URL may hold a password."""
    url = os.environ.get(URL_VARIABLE, "") if database == SERVER else database
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def _folder(options: argparse.Namespace) -> Origin:
    if options.measures:
        raise ConfigError(
            "--measures only works with a study; for a folder of images, use --relation FILE …."
        )
    if options.database:
        raise ConfigError("--database only works with a study.")
    if not options.relation:
        raise ConfigError(
            "--relation FILE is missing. It contains the gaze similarity of the images."
        )
    gaze = {path.stem: ("--relation", str(path)) for path in options.relation}
    if len(gaze) < len(options.relation):
        raise ConfigError(
            "Two --relation files have the same name, which must differ to tell their rows apart."
        )
    _require_test_images(options)
    words = ["--images", str(options.images)]
    for name in ("labels", "splits"):
        if getattr(options, name) is not None:
            words += [f"--{name}", str(getattr(options, name))]
    return Origin(tuple(words), gaze, Path("sweep"))


def _require_test_images(options: argparse.Namespace) -> None:
    """Refuse images without a split: drawn by each run's seed it would be another each time."""
    found = find_images(options.images)
    splits: list[str | None] = []
    if options.splits is not None:
        splits += read_split_file(options.splits, list(found)).values()
    if options.labels is not None:
        splits += [facts.split for facts in read_labels(options.labels, list(found)).values()]
    if "test" not in splits:
        raise ConfigError(
            "No image belongs to the test split. Use --splits JSON, or --labels with a column "
            "split: all runs of a sweep are evaluated on the same images."
        )
