"""An encoder's features as a map: two axes, neighbours, colours by what is known of an image."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from sqlalchemy import select

from app.errors import AppError
from migrations.study.cohort_rules import stand_in_sessions, why_left_out
from migrations.study.folder import Study
from migrations.study.names import split_item
from migrations.study.schema import CaseImage, Image, Reader, Reading

CLUSTERS = 8


class FeaturesUnreadable(AppError):
    """A features file is missing or damaged."""


@dataclass(frozen=True)
class Features:
    """Features of N images; rows of length 1."""

    ids: tuple[str, ...]
    unit: NDArray[np.float32]

    def neighbours(self, index: int, count: int) -> list[tuple[int, float]]:
        """Return the `count` nearest images by cosine: (index, cosine)."""
        cosine = self.unit @ self.unit[index]
        cosine[index] = -np.inf
        best = np.argsort(-cosine, kind="stable")[: min(count, len(self.ids) - 1)]
        return [(int(i), float(cosine[i])) for i in best]


def load_features(path: Path) -> Features:
    """Return what `python main.py encode` wrote.

    Raises
    ------
    FeaturesUnreadable
        Naming the file and how to make it again.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            values = file["features"].astype(np.float32)
            ids = tuple(str(name) for name in file["ids" if "ids" in file else "names"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise FeaturesUnreadable(
            f"{path} holds no features that can be read ({error}). Delete it; the page makes it "
            "again."
        ) from error
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return Features(ids, values / np.maximum(length, 1e-12))


def map_pca(features: Features) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return the first two principal components (N, 2), and the variance each explains, 0 … 1."""
    centred = features.unit - features.unit.mean(axis=0)
    if len(centred) < 3:
        return np.zeros((len(centred), 2), np.float32), (0.0, 0.0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    points: NDArray[np.float32] = (u[:, :2] * s[:2]).astype(np.float32)
    share = s**2 / max(float((s**2).sum()), 1e-12)
    return points, (float(share[0]), float(share[1]))


def map_umap(features: Features, seed: int = 0) -> NDArray[np.float32]:
    """Return a UMAP embedding (N, 2).

    Raises
    ------
    FeaturesUnreadable
        If the package umap-learn is not installed.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise FeaturesUnreadable(
            "UMAP needs the package umap-learn: pip install umap-learn"
        ) from error
    made = UMAP(random_state=seed, metric="cosine").fit_transform(features.unit)
    return np.asarray(made, np.float32)


def clusters(features: Features, seed: int = 0) -> list[str]:
    """Return the k-means cluster of each image as text."""
    count = min(CLUSTERS, len(features.ids))
    _, labels = kmeans2(features.unit.astype(np.float64), count, minit="++", seed=seed)
    return [f"cluster {label + 1}" for label in labels]


def classes_of(study: Study) -> dict[str, str]:
    """Return the label of each labelled image."""
    with study.database.read() as session:
        rows = session.execute(select(Image.id, Image.label).where(Image.label.is_not(None)))
        return {image_id: str(label) for image_id, label in rows}


def of_members(ids: Iterable[str], by_image: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of images by member of a cohort: a frame has what its stack has."""
    found = ((id_, by_image.get(split_item(id_)[0])) for id_ in ids)
    return {id_: known for id_, known in found if known is not None}


def readers_of(study: Study) -> dict[str, str]:
    """Return who read each image; several readers are "several"."""
    query = (
        select(Reading, CaseImage.image_id, Reader.pseudonym)
        .join(CaseImage, CaseImage.case_id == Reading.case_id)
        .join(Reader, Reader.id == Reading.reader_id)
    )
    found: dict[str, set[str]] = {}
    with study.database.read() as session:
        stand_ins = stand_in_sessions(session)
        for reading, image_id, pseudonym in session.execute(query):
            if why_left_out(reading, stand_ins=stand_ins, trial=study.settings.trial) is None:
                found.setdefault(image_id, set()).add(pseudonym)
    return {k: next(iter(v)) if len(v) == 1 else "several" for k, v in found.items()}
