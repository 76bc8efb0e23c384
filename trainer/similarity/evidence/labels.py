"""Labels of the items of a list, from a table: a few suffice."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from trainer.data.cohort import Member
from trainer.data.image_folder import table_rows
from trainer.errors import SimilarityError
from trainer.similarity.sources import GazeList


def labels_of_file(path: Path, gaze: GazeList, names: Mapping[str, str]) -> list[str | None]:
    """Return the label of each item, None where the table has none.

    Parameters
    ----------
    path
        A table with the columns `image` and `label`. An image is named as an item, as what a study
        calls it, or as the case or image that files say they are of (then all of their items have
        the label); with or without folder and suffix. Lines of other images are passed over.
    gaze
        The items.
    names
        What items are called, by id.

    Raises
    ------
    ImageFolderError
        If the table cannot be read.
    SimilarityError
        If it gives no item a label, one item two, or a name that may mean several.
    """
    meant, loosely = _by_alias(gaze, names)
    found: list[str | None] = [None] * len(gaze.ids)
    for where, row in table_rows(path, ("image", "label")):
        items = meant.get(row["image"]) or loosely.get(_bare(row["image"]), set())
        if len({gaze.cases[i] if gaze.cases else i for i in items}) > 1:
            raise SimilarityError(
                f"{where}: {row['image']!r} may mean several images. Write the full name."
            )
        for item in sorted(items) if row["label"] else ():
            if found[item] not in (None, row["label"]):
                raise SimilarityError(
                    f"{where}: {names.get(gaze.ids[item], gaze.ids[item])} has two labels, "
                    f"{found[item]!r} and {row['label']!r}. Keep one of the two."
                )
            found[item] = row["label"]
    if not any(found):
        raise SimilarityError(
            f"{path} has no label for any of the images ({', '.join(gaze.ids[:3])}, …)."
        )
    return found


def _by_alias(
    gaze: GazeList, names: Mapping[str, str]
) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    """Return the items by each name that they go by, and by it without folder and suffix."""
    meant: dict[str, set[int]] = {}
    loosely: dict[str, set[int]] = {}
    for item, id_ in enumerate(gaze.ids):
        for alias in _aliases(item, id_, gaze, names):
            meant.setdefault(alias, set()).add(item)
            loosely.setdefault(_bare(alias), set()).add(item)
    return meant, loosely


def _bare(name: str) -> str:
    return PureWindowsPath(name).stem


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
