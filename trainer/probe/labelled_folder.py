"""A plain folder of radiographs with a table of labels; no study is needed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from trainer.data.image_folder import ImageFacts, find_images, read_labels
from trainer.errors import ProbeError
from trainer.probe.labelled import LabelledImage, LabelledSet


def labelled_folder(folder: Path, labels: Path) -> LabelledSet:
    """Return the images of a folder that a table labels; see `read_labels`.

    Raises
    ------
    ImageFolderError
        Naming the folder, or the file, the line and the way out.
    ProbeError
        If the table labels no image.
    """
    found = find_images(folder)
    table = read_labels(labels, list(found), strict=True)
    images = tuple(
        LabelledImage(name, found[name], facts.label, facts.patient or name, facts.split)
        for name, facts in table.items()
        if facts.label
    )
    if not images:
        raise ProbeError(f"{labels} has no label for any image in {folder}.")
    return LabelledSet(images, _notes(images, table, len(found)))


def images_by_class_folder(folder: Path, names: Iterable[str]) -> LabelledSet:
    """Return named images of the layout `class/file`: the first part of a name is its label.

    Raises
    ------
    ProbeError
        If a file is missing, or its name has no class.
    """
    images = []
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        path = folder.joinpath(*parts)
        if len(parts) < 2:
            raise ProbeError(
                f"{name} is not in a class folder, and --labels is missing. Write class/file.png, "
                "or use a table of labels."
            )
        if not path.is_file():
            raise ProbeError(f"{path} does not exist, but the splits name it.")
        images.append(LabelledImage("/".join(parts), path, parts[0], name))
    note = "Patients are unknown, so each image counts as a separate patient."
    return LabelledSet(tuple(images), (note,))


def _notes(
    images: tuple[LabelledImage, ...], table: Mapping[str, ImageFacts], found: int
) -> tuple[str, ...]:
    notes = []
    if len(table) > len(images):
        notes.append(f"{len(table) - len(images)} images have no label and were left out.")
    if found > len(table):
        notes.append(
            f"{found - len(table)} images in the folder are not in the table and were left out."
        )
    nameless = sum(1 for image in images if table[image.name].patient is None)
    if nameless == len(images):
        notes.append("Patients are unknown, so each image counts as a separate patient.")
    elif nameless:
        notes.append(f"{nameless} images have no patient; each counts as a separate patient.")
    splits = Counter(image.split for image in images)
    if None in splits and len(splits) > 1:
        notes.append(f"{splits[None]} images have no split and were left out of the fixed split.")
    return tuple(notes)
