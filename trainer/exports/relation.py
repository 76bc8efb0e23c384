"""The gaze similarity of a study's images as files: found again, or computed now."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import SimilarityRun
from trainer.errors import SimilarityError
from trainer.similarity import command as similarity
from trainer.similarity.store import load_matrix

DEFAULT_MEASURE = "tima"


@dataclass(frozen=True, slots=True, eq=False)
class ExportRelation:
    """Similarity (N, N) and valid (N, N) of images `ids` (N,)."""

    measure: str
    ids: tuple[str, ...]
    similarity: NDArray[np.float64]
    valid: NDArray[np.bool_]


def relation_of(study: Study, ids: tuple[str, ...], measure: str | None) -> ExportRelation:
    """Return the similarity of images in this order.

    Parameters
    ----------
    measure
        None: that of the newest stored similarity of these images, else TIMA.

    Raises
    ------
    SimilarityError
        If it cannot be computed.
    """
    return _stored(study, ids, measure) or _computed(study, ids, measure or DEFAULT_MEASURE)


def write_relation(study: Study, relation: ExportRelation, out: Path) -> list[Path]:
    """Write `relation.npy` (float64), `relation.npz` and the ids in `names.txt`.

    The npz holds `similarity`, `valid`, `ids`, `names` (what the study calls the images) and
    `measure`.
    """
    dense, whole, names = out / "relation.npy", out / "relation.npz", out / "names.txt"
    with study.database.read() as session:
        called = names_of(session, "image")
    np.save(dense, relation.similarity)
    np.savez(
        whole,
        similarity=relation.similarity,
        valid=relation.valid,
        ids=np.array(relation.ids, dtype=np.str_),
        names=np.array([called[i] for i in relation.ids], dtype=np.str_),
        measure=np.array(relation.measure),
    )
    names.write_text("\n".join(relation.ids) + "\n", encoding="utf-8")
    return [dense, whole, names]


def _stored(study: Study, ids: tuple[str, ...], measure: str | None) -> ExportRelation | None:
    query = (
        select(SimilarityRun.measure, SimilarityRun.matrix_path)
        .where(SimilarityRun.matrix_path.is_not(None))
        .order_by(SimilarityRun.id.desc())
    )
    with study.database.read() as session:
        rows = session.execute(query).all()
    for name, path in rows:
        if path is None or measure not in (None, name) or not (study.folder / path).is_file():
            continue
        with contextlib.suppress(SimilarityError):
            stored = load_matrix(study.folder / path)
            place = {image_id: k for k, image_id in enumerate(stored.ids)}
            if set(ids) <= set(place):
                order = np.array([place[i] for i in ids])
                both = np.ix_(order, order)
                values = np.asarray(stored.similarity[both], np.float64)
                return ExportRelation(name, ids, values, stored.valid[both])
    return None


def _computed(study: Study, ids: tuple[str, ...], measure: str) -> ExportRelation:
    """Compare through the command `similarity`, which keeps features in the study's cache."""
    path = study.cache / "similarity" / f"export-{measure}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["--study", str(study.folder), "--measure", measure, "--out", str(path)]
    if study.database.path is None:
        words += ["--database", study.database.url]
    if similarity.main(words) != 0:
        raise SimilarityError(f"{measure} of {study.folder} could not be computed; see above.")
    try:
        stored = load_matrix(path)
    finally:
        path.unlink(missing_ok=True)
    place = {image_id: k for k, image_id in enumerate(stored.ids)}
    known = np.array([i in place for i in ids])
    order = np.array([place.get(i, 0) for i in ids])
    both, there = np.ix_(order, order), known[:, None] & known[None, :]
    values = np.where(there, stored.similarity[both], 0.0)
    np.fill_diagonal(values, 1.0)
    return ExportRelation(measure, ids, values, stored.valid[both] & there)
