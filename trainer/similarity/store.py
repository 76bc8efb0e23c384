"""Keep a similarity: its matrix as a file, its run and nearest neighbours as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from sqlalchemy import insert

from devices.gaze.pair_rates import pair_values, pairs_among, positive_rate
from migrations.study.evidence import DETAILS_KEY, CohortEvidence
from migrations.study.folder import Study
from migrations.study.names import split_item
from migrations.study.schema import Neighbour, SimilarityRun, new_id
from trainer.errors import SimilarityError
from trainer.similarity.base import BoolArray, Fitted, FloatArray, Similarity
from trainer.similarity.cohort_pass import beside, write_fitted

NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class StoredMatrix:
    """A matrix file: similarity (N, N), valid (N, N), ids (N,) in the order of both axes."""

    similarity: FloatArray
    valid: BoolArray
    ids: tuple[str, ...]


def save_matrix(path: Path, similarity: Similarity, ids: Sequence[str]) -> None:
    """Write `similarity`, `valid`, `ids` into one npz file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            similarity=similarity.matrix,
            valid=similarity.valid,
            ids=np.array(list(ids), dtype=np.str_),
        )
    partial.replace(path)


def load_matrix(path: Path) -> StoredMatrix:
    """Return what `save_matrix` wrote.

    Raises
    ------
    SimilarityError
        If the file is missing, damaged or holds something else.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            ids = tuple(str(i) for i in file["ids"])
            return StoredMatrix(file["similarity"], file["valid"], ids)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise SimilarityError(f"{path} is not a readable similarity matrix: {error}.") from error


def store_run(
    study: Study,
    similarity: Similarity,
    image_ids: Sequence[str],
    *,
    cohort_fingerprint: str,
    threshold: float | None = None,
    neighbours: int = NEIGHBOURS,
    findings: Mapping[str, Any] | None = None,
    evidence: CohortEvidence | None = None,
    fitted: Fitted | None = None,
) -> str:
    """Keep the similarity of a study's images; return the id of its `similarity_run`.

    The matrix goes to `cache/similarity/<id>.npz`, the `neighbours` most alike images of each to
    `neighbour`, both rows in one transaction; `findings` (`Findings.as_dict()`) to the run's
    `details`, where the station finds them; so do those of the `evidence` that chose the measure.
    What the measure learnt of the cohort lies beside the matrix.
    """
    run_id = new_id()
    path = study.cache / "similarity" / f"{run_id}.npz"
    save_matrix(path, similarity, image_ids)
    if fitted is not None:
        write_fitted(beside(path), similarity.measure, fitted)
    run = _run_row(run_id, similarity, cohort_fingerprint, threshold)
    run.details = {"findings": dict(findings)} if findings else {}
    if evidence is not None:
        run.details = {**run.details, DETAILS_KEY: evidence.as_dict()}
    run.matrix_path = path.relative_to(study.folder).as_posix()
    rows = neighbour_rows(run_id, similarity, image_ids, neighbours)
    with study.database.write() as session:
        session.add(run)
        session.flush()
        if rows:
            session.execute(insert(Neighbour), rows)
    return run_id


def neighbour_rows(
    run_id: str, similarity: Similarity, image_ids: Sequence[str], count: int = NEIGHBOURS
) -> list[dict[str, object]]:
    """Return the rows of the most alike images of each, the most alike first; invalid ones out."""
    values = np.where(similarity.valid, similarity.matrix, -np.inf)
    np.fill_diagonal(values, -np.inf)
    rows: list[dict[str, object]] = []
    images = [split_item(item)[0] for item in image_ids]  # frames of a stack count as the stack
    for i, line in enumerate(values):
        for j in np.argsort(-line, kind="stable")[:count]:
            if np.isfinite(line[j]) and images[i] != images[j]:
                rows.append(
                    {
                        "id": new_id(),
                        "similarity_run_id": run_id,
                        "image_id": images[i],
                        "neighbour_id": images[j],
                        "measure": similarity.measure,
                        "value": float(line[j]),
                    }
                )
    return rows


def _run_row(
    run_id: str, similarity: Similarity, fingerprint: str, threshold: float | None
) -> SimilarityRun:
    n, values = len(similarity.matrix), pair_values(similarity.matrix, similarity.valid)
    rate = None
    if threshold is not None:
        rate = positive_rate(similarity.matrix, similarity.valid, threshold)
    return SimilarityRun(
        id=run_id,
        measure=similarity.measure,
        parameters=similarity.parameters,
        cohort_fingerprint=fingerprint,
        image_count=n,
        valid_share=len(values) / max(pairs_among(n), 1),
        threshold=threshold,
        positive_rate=rate,
        seconds=similarity.seconds,
    )
