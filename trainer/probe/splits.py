"""Who is trained on and who is tested: by patient, stratified, repeated, seeded, stored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from migrations.study.names import Names
from migrations.study.plurals import counted
from trainer.data.image_folder import Resolver
from trainer.data.splits import SPLIT_NAMES, parts_of, split_by_group
from trainer.errors import ProbeError
from trainer.probe.labelled import IntArray, LabelledSet, patient_labels

TEST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the images that are trained on and tested, each ascending."""

    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True)
class Splits:
    """The splits of a comparison.

    Attributes
    ----------
    parts
        One for each repeat; a fixed split is there once and its repeats draw other labels.
    origin
        Where they come from, in words.
    """

    parts: tuple[Split, ...]
    origin: str

    @property
    def fixed(self) -> bool:
        """Whether all repeats share one split."""
        return len(self.parts) == 1

    def tested(self) -> IntArray:
        """Return the positions of all images that are tested in any repeat."""
        return np.unique(np.concatenate([part.test for part in self.parts]))


def random_splits(data: LabelledSet, repeats: int, seed: int) -> Splits:
    """Return splits that hold about 30 % of each class's patients back.

    Raises
    ------
    ProbeError
        If a class has a single patient, who cannot be on both sides.
    """
    codes, patients = data.codes, data.patients
    of_patient = patient_labels(codes, patients)
    for code, name in enumerate(data.classes):
        own = [p for p, c in of_patient.items() if c == code]
        if len(own) < 2:
            raise ProbeError(
                f"Class {name!r} has {counted(len(own), 'patient')} of its own; at least 2 are "
                "needed, one for training and one for testing. Leave the class out or merge it "
                "with another."
            )
    groups = [image.patient for image in data.images]
    labels = [image.label for image in data.images]
    parts = []
    for repeat in range(repeats):
        drawn = int(np.random.SeedSequence([seed, repeat]).generate_state(1)[0])
        is_test = split_by_group(groups, labels, test_share=TEST_SHARE, seed=drawn)
        parts.append(Split(np.flatnonzero(~is_test), np.flatnonzero(is_test)))
    text = f"{TEST_SHARE:.0%} of the patients for testing, stratified by class, {repeats} times"
    return Splits(tuple(parts), f"{text}, seed {seed}")


def column_split(data: LabelledSet) -> Splits | None:
    """Return the split that the images carry themselves; None if none is tested.

    Images of "val" are trained on: nothing but training images ever chooses anything.
    """
    words = [image.split for image in data.images]
    if "test" not in words:
        return None
    train = [k for k, word in enumerate(words) if word in ("train", "val")]
    if not train:  # only the test set is marked
        train = [k for k, word in enumerate(words) if word != "test"]
    test = [k for k, word in enumerate(words) if word == "test"]
    return checked(data, [(train, test)], "as stored with the images")


def named_images(content: Mapping[str, Any]) -> list[str]:
    """Return every image that a file of splits names, each once."""
    names = (str(n) for part in parts_of(content) for key in SPLIT_NAMES for n in part.get(key, ()))
    return list(dict.fromkeys(names))


def file_splits(data: LabelledSet, content: Mapping[str, Any], path: Path) -> Splits:
    """Return the splits of a file for some images.

    Raises
    ------
    ProbeError
        If it names none of the images, or a patient lies on both sides.
    ImageFolderError
        If a name may mean several images.
    """
    find = _finder(data, path)
    parts = [
        tuple(
            sorted({k for key in keys for k in find(part.get(key, ()))})
            for keys in (("train", "val"), ("test",))
        )
        for part in parts_of(content)
    ]
    return checked(data, [(train, test) for train, test in parts], f"from {path.name}")


def _finder(data: LabelledSet, path: Path) -> Callable[[Iterable[Any]], list[int]]:
    """Return what finds the positions of named images; those without a label are passed over."""
    own = [image.name for image in data.images]
    place = {name: k for k, name in enumerate(own)}
    short_names, resolve = Names(own), Resolver(own)

    def find(named: Iterable[Any]) -> list[int]:
        words = [str(word) for word in named]
        meant = [word if resolve.find(word) else short_names.meant(word) or word for word in words]
        there = [place[resolve(word, str(path))] for word in meant if resolve.find(word)]
        if words and not there:
            raise ProbeError(
                f"{path} names {len(words)} images such as {words[0]}, but none of them is "
                "labelled here."
            )
        return there

    return find


def checked(
    data: LabelledSet, parts: Sequence[tuple[Sequence[int], Sequence[int]]], origin: str
) -> Splits:
    """Return splits after a look at patients and classes.

    Raises
    ------
    ProbeError
        If a patient is on both sides, or a side lacks a class it needs.
    """
    splits = []
    for train, test in parts:
        split = Split(np.array(sorted(train), np.int64), np.array(sorted(test), np.int64))
        _refuse_leak(data, split, origin)
        _require_classes(data, split, origin)
        splits.append(split)
    return Splits(tuple(splits), origin)


def _refuse_leak(data: LabelledSet, split: Split, origin: str) -> None:
    train = {data.images[k].patient for k in split.train}
    both = sorted({data.images[k].patient for k in split.test} & train)
    if both:
        named = ", ".join(both[:3]) + (", …" if len(both) > 3 else "")
        raise ProbeError(
            f"The split ({origin}) leaks: {counted(len(both), 'patient')} in both training and "
            f"test ({named}). Put all images of a patient on one side."
        )


def _require_classes(data: LabelledSet, split: Split, origin: str) -> None:
    codes = data.codes
    missing = sorted(set(codes[split.test]) - set(codes[split.train]))
    if missing:
        names = ", ".join(data.classes[k] for k in missing)
        raise ProbeError(
            f"The split ({origin}) tests {names}, but no image of it is used for training."
        )
    if len(set(codes[split.test])) < 2:
        raise ProbeError(
            f"The split ({origin}) tests fewer than two classes; nothing can be concluded."
        )


def splits_as_json(data: LabelledSet, splits: Splits, seed: int) -> dict[str, Any]:
    """Return splits as a file that `--splits` reads again."""
    names = [image.name for image in data.images]
    parts = [
        {"train": [names[k] for k in part.train], "test": [names[k] for k in part.test]}
        for part in splits.parts
    ]
    head = {"by": "patient", "seed": seed, "origin": splits.origin}
    return {**head, **parts[0]} if splits.fixed else {**head, "repeats": parts}
