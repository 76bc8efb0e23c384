"""Which images are held out for testing: whole patients, drawn before pre-training, and kept."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import Image
from trainer.errors import ImageFolderError

TEST_SHARE = 0.2
SPLIT_NAMES = ("train", "val", "test")
FEWEST_GROUPS = 5
"""With fewer patients than this nothing is held out: one test patient shows nothing."""


def split_by_group(
    groups: Sequence[str], labels: Sequence[str | None], *, test_share: float, seed: int
) -> NDArray[np.bool_]:
    """Return which images are held out for testing.

    No group lies on both sides. Groups are drawn label by label (that of most of their images), so
    that the test set is about as mixed as the whole; a label of several groups keeps at least one
    on either side.

    Parameters
    ----------
    groups
        Patient (or other source) of each image, length N.
    labels
        Label of each image, or None; length N.
    test_share
        Share of the images of each label that are wanted in the test set, 0 to 1.
    seed
        The same seed gives the same split, whatever the order of the images.

    Returns
    -------
    NDArray
        Shape (N,), bool, True for test.

    Examples
    --------
    >>> mask = split_by_group(list("aabbccdd"), [None] * 8, test_share=0.25, seed=0)
    >>> int(mask.sum())
    2
    """
    members = _group_sizes(groups)
    held: set[str] = set()
    for _, names in sorted(_groups_by_label(groups, labels).items()):
        held |= _drawn(names, members, test_share, seed)
    return np.array([g in held for g in groups], dtype=bool)


def _group_sizes(groups: Sequence[str]) -> Counter[str]:
    return Counter(groups)


def _groups_by_label(groups: Sequence[str], labels: Sequence[str | None]) -> dict[str, list[str]]:
    """Return the groups of each label; a group counts for the label of most of its images."""
    votes: dict[str, Counter[str]] = {}
    for group, label in zip(groups, labels, strict=True):
        votes.setdefault(group, Counter())["" if label is None else f"={label}"] += 1
    strata: dict[str, list[str]] = {}
    for group in sorted(votes):
        label = min(votes[group].items(), key=lambda item: (-item[1], item[0]))[0]
        strata.setdefault(label, []).append(group)
    return strata


def _drawn(names: Sequence[str], members: Counter[str], share: float, seed: int) -> set[str]:
    """Draw groups until their images come nearest to the share."""
    order = np.random.default_rng(seed).permutation(len(names))
    wanted = share * sum(members[n] for n in names)
    held: list[str] = []
    count = 0
    for index in order[: max(0, len(names) - 1)]:  # one group always stays to be learnt from
        size = members[names[index]]
        first_of_several = not held and share > 0
        if not first_of_several and abs(count + size - wanted) >= abs(count - wanted):
            break
        held.append(names[index])
        count += size
    return set(held)


@dataclass(frozen=True, slots=True)
class Splits:
    """The split in force: `by_image` gives "train", "val" or "test" of each image id."""

    by_image: dict[str, str]
    seed: int
    by: str = "source_group"

    def ids(self, name: str) -> list[str]:
        """Return the images of a split, in the order of the cohort."""
        return [image for image, split in self.by_image.items() if split == name]

    def write(self, path: Path) -> None:
        """Write `splits.json`."""
        table = {n: self.ids(n) for n in SPLIT_NAMES}
        text = json.dumps({**table, "seed": self.seed, "by": self.by}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def complete_splits(
    groups: Sequence[str],
    labels: Sequence[str | None],
    known: Sequence[str | None],
    *,
    test_share: float,
    seed: int,
) -> list[str]:
    """Return the split of each image: what is known stays, the rest is drawn by group.

    An image without a split follows its patient's other images; new patients are drawn.
    """
    of_group: dict[str, str] = {}
    for group, split in zip(groups, known, strict=True):
        if split is not None:  # a patient with any image in test is a test patient
            of_group[group] = "test" if "test" in (split, of_group.get(group)) else split
    new = [i for i, g in enumerate(groups) if g not in of_group]
    new_groups = [groups[i] for i in new]
    if test_share > 0 and len(set(groups)) >= FEWEST_GROUPS and new:
        drawn = split_by_group(
            new_groups, [labels[i] for i in new], test_share=test_share, seed=seed
        )
    else:
        drawn = np.zeros(len(new), dtype=bool)
    for group, test in zip(new_groups, drawn, strict=True):
        of_group[group] = "test" if test else "train"
    return [s or of_group[g] for g, s in zip(groups, known, strict=True)]


def store_splits(study: Study, *, test_share: float = TEST_SHARE, seed: int = 0) -> Splits:
    """Give each image of a study without a split its own, keep it in the database, return all."""
    with study.database.write() as session:
        images = session.scalars(select(Image).order_by(Image.import_number, Image.id)).all()
        splits = complete_splits(
            [i.source_group for i in images],
            [i.label for i in images],
            [i.split for i in images],
            test_share=test_share,
            seed=seed,
        )
        for image, split in zip(images, splits, strict=True):
            if image.split is None:
                image.split = split
        return Splits({i.id: s for i, s in zip(images, splits, strict=True)}, seed)


def read_splits(path: Path) -> dict[str, Any]:
    """Return what a file of splits says, unchecked but for being one.

    Raises
    ------
    ImageFolderError
        If it cannot be read, or holds neither train and test nor repeats of them.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImageFolderError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ImageFolderError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(content, dict) or not all(_is_split(part) for part in parts_of(content)):
        raise ImageFolderError(
            f"{path} contains no splits. It must be an object with the lists train and test "
            "(optionally val), or one with a list repeats of such objects."
        )
    return content


def parts_of(content: Mapping[str, Any]) -> Sequence[Any]:
    """Return the splits of a file: its repeats, or the one that it is."""
    repeats = content.get("repeats")
    return repeats if isinstance(repeats, list) and repeats else [content]


def _is_split(part: Any) -> bool:
    return isinstance(part, dict) and all(
        isinstance(part.get(key, []), list) and (key == "val" or part.get(key))
        for key in SPLIT_NAMES
    )
