"""One cell: phantoms, gaze, pre-training and probe, by the trainer's own functions."""

import functools
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from bench.gaze_methods.phantoms import CLASSES, SIDE, Phantom, make_phantoms
from bench.gaze_methods.plan import Cell
from bench.gaze_methods.readers import Reading, kept, permuted, read_all
from devices.gaze.pair_rates import threshold_for_rate
from trainer.config.config import RunConfig
from trainer.config.layers import make_config
from trainer.data.cache import ImageCache
from trainer.encoders.nets import make_encoder, seeded_weights
from trainer.pairs.policy import PairMatrix, PairPolicy
from trainer.pairs.predicted import predict, with_predicted
from trainer.pairs.soft import agreement_of, soft_pairs
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.job import Job
from trainer.pretrain.loop import train
from trainer.pretrain.paths import ScanPaths
from trainer.probe.candidates import Candidate
from trainer.probe.evaluate import Settings, evaluate
from trainer.probe.features import extract
from trainer.probe.finetune import finetune
from trainer.probe.labelled import LabelledImage, LabelledSet
from trainer.probe.metrics import score_all
from trainer.probe.splits import Split, Splits
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.sources import GazeList

TRAINED, TESTED = 384, 240
BUDGETS, DRAWS = (10, 25, 100), 20
BATCH, EPOCHS = 32, 12
ENCODER = "resnet10"
MEASURE, RATE, DROP = "moment_sequence", 0.05, 0.5
"""The measure that carried most in docs/study.md; it was not chosen on these phantoms."""
SOFTNESS = 0.5
CPU = torch.device("cpu")


@functools.lru_cache(2)
def phantoms(seed: int) -> list[Phantom]:
    """Return the phantoms of a seed: first those that are trained on."""
    return make_phantoms(TRAINED + TESTED, seed)


@functools.lru_cache(2)
def _read(seed: int) -> tuple[Reading, ...]:
    return tuple(read_all(phantoms(seed)[:TRAINED], seed))


def readings(cell: Cell) -> list[Reading]:
    """Return the readings of a cell: mixed by its degree, of the images that were read."""
    mixed = permuted(_read(cell.seed), 1.0 if cell.g is None else cell.g, cell.seed)
    there = kept(TRAINED, cell.read, cell.seed)
    return [r for r in mixed if there[r.image]]


def gaze_list(cell: Cell) -> GazeList:
    """Return the readings of a cell as a measure takes them."""
    own = readings(cell)
    names = tuple(str(k) for k in range(TRAINED))
    readers = tuple(str(r.reader) for r in own)
    owners = np.array([r.image for r in own], np.int64)
    return GazeList(names, [r.gaze for r in own], owners, readers)


@functools.lru_cache(2)
def similarity(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """Return similarity and validity (N, N) of the images that a cell trains on."""
    found = prepare(MEASURE, gaze_list(cell), {}, ComparisonControl(jobs=1)).matrix()
    return found.matrix, found.valid


def config_of(cell: Cell) -> RunConfig:
    """Return the settings of a cell; cells differ in what gaze does alone."""
    pairs = "none" if cell.method in ("plain", "trajectory") else "gzpt"
    return make_config(
        {
            "pairs": pairs, "seed": cell.seed, "size": SIDE, "batch": BATCH, "epochs": EPOCHS,
            "encoder": ENCODER, "device": "cpu", "drop": DROP, "knn_every": EPOCHS,
            "measure": MEASURE, "positive_rate": RATE,
            "method": "trajectory" if cell.method == "trajectory" else "byol",
            "path_order": cell.order,
            **({"softness": SOFTNESS, "agreement": True} if cell.method == "soft" else {}),
        }
    )  # fmt: skip


def run_cell(cell: Cell) -> dict[str, Any]:
    """Run a cell and return its line."""
    begun, used = time.perf_counter(), time.process_time()
    policy, said = _pairs(cell)
    config = config_of(cell)
    with tempfile.TemporaryDirectory() as folder:
        identity = Identity(config, f"phantoms of seed {cell.seed}", policy.hash(), TRAINED)
        images = _images(cell.seed)
        job = Job(identity, images, policy, Path(folder), CPU, paths=_paths(cell))
        outcome = train(job, lambda event: None, lambda: False)
    if cell.method == "plain":
        pixels = np.stack([p.grey for p in phantoms(cell.seed)[:TRAINED]])
        make = Candidate("cell", (SIDE, SIDE), lambda: outcome.method.encoder, None, {})
        np.save(_features_file(cell.seed), extract(make, pixels, CPU))
    return {
        "cell": cell.name,
        "key": cell.key,
        "seed": cell.seed,
        **probe(cell.seed, lambda: outcome.method.encoder),
        **said,
        "extra_pairs_per_batch": round(job.extra_pairs, 2),
        "steps": outcome.step,
        "loss_last": outcome.loss_last,
        "feature_spread": outcome.feature_spread,
        "cpu_s": round(time.process_time() - used, 1),
        "seconds": round(time.perf_counter() - begun, 1),
        "config_hash": config.hash(),
        "torch": torch.__version__,
    }


def _pairs(cell: Cell) -> tuple[PairPolicy, dict[str, Any]]:
    """Return the pair policy of a cell, and what its pairs are worth."""
    labels = [p.label for p in phantoms(cell.seed)[:TRAINED]]
    if cell.method in ("plain", "trajectory"):
        return PairPolicy(), {}
    matrix, valid = similarity(cell)
    if cell.method == "soft":
        agreement = agreement_of(gaze_list(cell), MEASURE, {}, ComparisonControl(jobs=1))
        weighed = soft_pairs(matrix, valid, RATE, SOFTNESS, agreement)
        return PairPolicy(weighed, DROP), {"purity": purity(weighed.table, labels)}
    relation = PairMatrix.of(matrix, valid, threshold_for_rate(matrix, valid, RATE))
    if cell.method != "predicted":
        return PairPolicy(relation, DROP), {"purity": purity(relation.table, labels)}
    patients = np.array([p.patient for p in phantoms(cell.seed)[:TRAINED]])
    found = predict(plain_features(cell.seed), matrix, valid, patients, cell.seed)
    if found.carries:  # as `trainer.runs.unread` does
        relation = cast(PairMatrix, with_predicted(relation, valid, found, RATE, 0.0))
    said = {"correlation": found.correlation, "by_chance": found.by_chance}
    return PairPolicy(relation, DROP), {"purity": purity(relation.table, labels), **said}


def plain_features(seed: int) -> np.ndarray:
    """Return what the plain run of a seed makes of its images, from a file once it was made."""
    path = _features_file(seed)
    if not path.exists():
        run_cell(Cell(seed=seed))
    return np.asarray(np.load(path))


def _features_file(seed: int) -> Path:
    name = f"gaze-methods-{config_of(Cell(seed=seed)).hash()}-{seed}.npy"
    return Path(tempfile.gettempdir()) / name


def _paths(cell: Cell) -> ScanPaths | None:
    """Return the fixations of a cell's readings; pixels of an image are those of its array."""
    if cell.method != "trajectory":
        return None
    own: list[list[torch.Tensor]] = [[] for _ in range(TRAINED)]
    for reading in readings(cell):
        own[reading.image].append(torch.from_numpy(reading.gaze.fixations_image).float())
    return ScanPaths.of(own)


def purity(table: torch.Tensor, labels: list[str]) -> float | None:
    """Return which share of pairs (N, N), by weight, joins images of one class."""
    names = np.array(labels)
    same = torch.from_numpy(names[:, None] == names[None, :])
    total = float(table.sum())
    return float(table[same].sum()) / total if total else None


def _images(seed: int) -> ImageCache:
    pixels = torch.from_numpy(np.stack([p.grey for p in phantoms(seed)[:TRAINED]]))
    return ImageCache(pixels, torch.full((TRAINED, 2), float(SIDE)))


def _labelled(seed: int) -> LabelledSet:
    return LabelledSet(
        tuple(
            LabelledImage(str(k), Path(), p.label, str(p.patient))
            for k, p in enumerate(phantoms(seed))
        )
    )


def probe(seed: int, make: Any) -> dict[str, Any]:
    """Return AUC of the linear probe by budget: the mean over draws of labels."""
    pixels = np.stack([p.grey for p in phantoms(seed)])
    features = extract(Candidate("cell", (SIDE, SIDE), make, None, {}), pixels, CPU)
    parts = Split(np.arange(TRAINED), np.arange(TRAINED, TRAINED + TESTED))
    settings = Settings(BUDGETS, ("linear",), DRAWS, seed)
    found = evaluate({"cell": features}, _labelled(seed), Splits((parts,), "the study's"), settings)
    rows = [row for row in found.rows if row["metric"] == "auc"]
    return {"linear": {str(r["budget"]): round(r["mean"], 5) for r in rows}}


def check(seed: int) -> dict[str, Any]:
    """Return the AUC of a net taught with all labels, and of one untaught: the question's room."""
    begun = time.perf_counter()
    data, pixels = _labelled(seed), np.stack([p.grey for p in phantoms(seed)])

    def make() -> torch.nn.Module:
        with seeded_weights(seed):
            return make_encoder(ENCODER)[0]

    scores = finetune(
        make, pixels[:TRAINED], data.codes[:TRAINED], len(CLASSES), pixels[TRAINED:], CPU, seed
    )
    figures = score_all(scores, data.codes[TRAINED:], np.ones((1, TESTED)))
    return {
        "cell": "check", "key": {"check": True, "seed": seed}, "seed": seed,
        "supervised": round(float(figures["auc"][0]), 4), "untrained": probe(seed, make)["linear"],
        "seconds": round(time.perf_counter() - begun, 1),
    }  # fmt: skip
