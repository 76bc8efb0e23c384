"""What the researcher's pages show, stored beside the readings: similarities, runs, a probe."""

import json

import numpy as np
from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import Image, SimilarityRun, TrainingRun, new_id, utc_text
from tests.app.screenshots.fixed import BEGIN

STEPS = 60
_DIMENSIONS = 24


def add_results(study: Study) -> None:
    """Store two similarities, a plain and a gaze run, and a probe of both."""
    with study.database.read() as rows:
        images = list(rows.scalars(select(Image).order_by(Image.import_number)))
    ids, labels = [i.id for i in images], [i.label for i in images]
    for seed, measure in enumerate(("density", "tima")):
        _add_similarity(study, measure, ids, labels, seed)
    for seed, (name, pairs) in enumerate((("plain", "none"), ("gaze", "gzpt"))):
        _add_run(study, name, pairs, ids, labels, seed)
    folder = study.exports / "probe"
    folder.mkdir(parents=True)
    (folder / "probe.json").write_text(json.dumps(_probe_rows()), encoding="utf-8")


def _add_similarity(study: Study, measure: str, ids, labels, seed: int) -> None:
    n = len(ids)
    rng = np.random.default_rng([1, seed])
    noise = rng.random((n, n)) * 0.34
    matrix = np.where(np.equal.outer(labels, labels), 0.52, 0.2) + (noise + noise.T) / 2
    np.fill_diagonal(matrix, 1.0)
    run_id = new_id()
    path = study.cache / "similarity" / f"{run_id}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, similarity=matrix, valid=np.ones((n, n), bool), ids=np.array(ids))
    row = SimilarityRun(
        id=run_id, measure=measure, parameters={}, cohort_fingerprint="f", image_count=n,
        valid_share=1.0, matrix_path=path.relative_to(study.folder).as_posix(), seconds=1.0,
    )  # fmt: skip
    with study.database.write() as rows:
        rows.add(row)


def metrics(seed: int, spread: float = 0.86) -> list[dict[str, float]]:
    """Return what a training told of its steps."""
    rng = np.random.default_rng([2, seed])
    told = []
    for k in range(STEPS):
        done = k / (STEPS - 1)
        told.append(
            {
                "step": k + 1, "steps": STEPS, "epoch": 1 + k // 6, "epochs": STEPS // 6,
                "loss": -0.2 - 1.5 * (1 - np.exp(-3 * done)) + rng.normal(0, 0.035),
                "learning_rate": 3e-4 * min(1.0, done * 8) * (1 + np.cos(np.pi * done)) / 2,
                "images_per_s": 46 + rng.normal(0, 2), "data_wait": 0.02 + 0.01 * rng.random(),
                "feature_spread": spread - 0.3 * np.exp(-5 * done) + rng.normal(0, 0.01),
                "positives_per_anchor": 1.0 + 0.55 * seed + rng.normal(0, 0.03) * seed,
                "rank_me": 6 + 9 * done + rng.normal(0, 0.3),
            }
        )  # fmt: skip
        if k % 5 == 4:
            told[-1]["knn"] = 0.4 + (0.22 + 0.16 * seed) * (1 - np.exp(-4 * done))
    return told


def _add_run(study: Study, name: str, pairs: str, ids, labels, seed: int) -> None:
    folder = study.runs / f"20260304-10{seed}000-{name}"
    folder.mkdir(parents=True)
    told = metrics(seed)
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, told)) + "\n")
    (folder / "encoder.safetensors").write_bytes(b"weights")
    rng = np.random.default_rng([3, seed])
    classes = sorted(set(labels))
    centres = np.eye(len(classes), _DIMENSIONS)[[classes.index(label) for label in labels]]
    features = centres + (0.3 - 0.16 * seed) * rng.standard_normal((len(ids), _DIMENSIONS))
    names = np.array([f"{i}/presentation.png" for i in ids])
    np.savez(folder / "features.npz", features=features.astype(np.float32), names=names)
    stored = folder.relative_to(study.folder).as_posix()
    row = TrainingRun(
        id=new_id(), name=name, state="finished", cohort_fingerprint="f",
        started_utc=utc_text(BEGIN.replace(day=4, hour=10, minute=10 * seed)),
        config={"method": "byol", "pairs": pairs, "measure": "tima", "encoder": "resnet18",
                "epochs": STEPS // 6, "size": 128, "batch": 32, "lr": 3e-4, "seed": 0},
        metrics_path=f"{stored}/metrics.jsonl", encoder_path=f"{stored}/encoder.safetensors",
        details={"loss_last": told[-1]["loss"], "images": len(ids), "steps": STEPS,
                 "positive_rate": 0.05 * seed, "training_seconds": 95.0, "tags": ["pilot"]},
    )  # fmt: skip
    with study.database.write() as rows:
        rows.add(row)


def _probe_rows() -> list[dict[str, object]]:
    means = {"gaze": (0.71, 0.78, 0.83), "plain": (0.62, 0.70, 0.79),
             "untrained network": (0.55, 0.58, 0.61), "raw pixels": (0.53, 0.57, 0.6)}  # fmt: skip
    return [
        {"encoder": encoder, "probe": "linear", "budget": budget, "metric": "auc", "mean": mean,
         "low": mean - 0.11 + 0.02 * k, "high": mean + 0.1 - 0.02 * k}
        for encoder, found in means.items()
        for k, (budget, mean) in enumerate(zip((10, 25, "all"), found, strict=True))
    ]  # fmt: skip
