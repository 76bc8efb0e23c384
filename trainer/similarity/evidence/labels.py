"""Labels of the items of a list, from a table: a few suffice."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.data.cohort import Member
from trainer.data.image_folder import read_labels
from trainer.errors import SimilarityError
from trainer.similarity.sources import GazeList


def labels_of_file(path: Path, gaze: GazeList, names: Mapping[str, str]) -> list[str | None]:
    """Return the label of each item, None where the table has none.

    Parameters
    ----------
    path
        A table with the columns `image` and `label`; see `read_labels`. An image is named as an
        item, as what a study calls it, or as the case or image that files say they are of (then
        all of their items have the label).
    gaze
        The items.
    names
        What items are called, by id.

    Raises
    ------
    ImageFolderError
        If the table cannot be read or names none of the images.
    SimilarityError
        If it gives no label, or one item two.
    """
    meant: dict[str, set[int]] = {}
    for item, id_ in enumerate(gaze.ids):
        for alias in _aliases(item, id_, gaze, names):
            meant.setdefault(alias, set()).add(item)
    found: list[str | None] = [None] * len(gaze.ids)
    for name, about in read_labels(path, list(meant)).items():
        for item in sorted(meant[name]) if about.label else ():
            if found[item] not in (None, about.label):
                raise SimilarityError(
                    f"{path} gives {names.get(gaze.ids[item], gaze.ids[item])} two labels, "
                    f"{found[item]!r} and {about.label!r}. Keep one of them."
                )
            found[item] = about.label
    if not any(found):
        raise SimilarityError(f"{path} gives no image a label: its column `label` is empty.")
    return found


def labels_of_members(gaze: GazeList, members: Sequence[Member]) -> list[str | None]:
    """Return the labels that a study has, None where it has none.

    Those of the split "test" are kept out: they must not choose what a run trains on.
    """
    labels = {m.image_id: m.label for m in members if m.split != "test"}
    return [labels.get(id_) for id_ in gaze.ids]


def _aliases(item: int, id_: str, gaze: GazeList, names: Mapping[str, str]) -> Sequence[str]:
    said = [id_, names.get(id_, id_)]
    said += [listed[item] for listed in (gaze.cases, gaze.images) if listed]
    return [alias for alias in dict.fromkeys(said) if alias]
