"""One cell: phantoms, gaze, pairs, pre-training and probe, by the trainer's own functions."""

import functools
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.study.gaze import Tracker, permuted, read_all
from bench.study.phantoms import CLASSES, SIDE, Phantom, make_phantoms
from bench.study.plan import VARIANTS, Cell
from devices.gaze.pair_rates import positive_rate, threshold_for_rate
from trainer.config.config import RunConfig
from trainer.config.layers import make_config
from trainer.data.cache import ImageCache
from trainer.encoders.nets import make_encoder, seeded_weights
from trainer.pairs.policy import PairMatrix, PairPolicy, SameLabel
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.job import Job
from trainer.pretrain.loop import train
from trainer.probe.candidates import Candidate
from trainer.probe.evaluate import Settings, evaluate
from trainer.probe.features import extract
from trainer.probe.finetune import finetune
from trainer.probe.labelled import LabelledImage, LabelledSet
from trainer.probe.metrics import score_all
from trainer.probe.splits import Split, Splits
from trainer.process.device import choose_precision
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.sources import GazeList

TRAINED, TESTED = 600, 300
BUDGETS = (10, 25, 100)
DRAWS = 20
BATCH, EPOCHS = 32, 15
CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Cohort:
    """The phantoms of a seed: those that are pre-trained on first, then those that are tested."""

    phantoms: list[Phantom]

    @property
    def pixels(self) -> np.ndarray:
        """Shape (N, SIDE, SIDE), uint8."""
        return np.stack([p.grey for p in self.phantoms])

    @property
    def labelled(self) -> LabelledSet:
        """As the probe takes them."""
        return LabelledSet(
            tuple(
                LabelledImage(str(k), Path(), p.label, str(p.patient))
                for k, p in enumerate(self.phantoms)
            )
        )

    @property
    def splits(self) -> Splits:
        """The fixed split; patients are whole because they come one after the other."""
        parts = Split(np.arange(TRAINED), np.arange(TRAINED, TRAINED + TESTED))
        return Splits((parts,), "the study's")


@functools.lru_cache(2)
def cohort(seed: int) -> Cohort:
    """Return the phantoms of a seed."""
    return Cohort(make_phantoms(TRAINED + TESTED, seed))


def run_cell(cell: Cell, epochs: int = EPOCHS) -> dict[str, Any]:
    """Run a cell and return its line."""
    begun = time.perf_counter()
    policy, said = _pairs(cell)
    config = config_of(cell, epochs)
    with tempfile.TemporaryDirectory() as folder:
        outcome, job = _pretrain(cell, config, policy, Path(folder))
    figures = probe(cell.seed, lambda: outcome.method.encoder)
    return {
        "cell": cell.name,
        "key": cell.key,
        "seed": cell.seed,
        **figures,
        **said,
        "extra_pairs_per_batch": round(job.extra_pairs, 2),
        "steps": outcome.step,
        "loss_first": outcome.loss_first,
        "loss_last": outcome.loss_last,
        "feature_spread": outcome.feature_spread,
        "seconds": round(time.perf_counter() - begun, 1),
        "config": config.shaping(),
        "config_hash": config.hash(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "precision": str(choose_precision(config.precision, CPU)).removeprefix("torch."),
    }


def config_of(cell: Cell, epochs: int = EPOCHS) -> RunConfig:
    """Return the settings of a cell; between a plain and a gaze run only the pairs differ."""
    layer: dict[str, Any] = {
        "method": cell.method, "pairs": cell.pairs, "seed": cell.seed, "size": SIDE,
        "batch": BATCH, "epochs": epochs, "device": "cpu", "drop": cell.drop, "knn_every": epochs,
    }  # fmt: skip
    if cell.uses_gaze:
        layer["measure"], layer["measure_parameters"] = cell.comparison
        rule = "positive_rate" if cell.threshold is None else "threshold"
        layer[rule] = getattr(cell, rule)
    return make_config(layer)


def _pairs(cell: Cell) -> tuple[PairPolicy, dict[str, Any]]:
    """Return the pair policy of a cell, and what its pairs are worth."""
    labels = [p.label for p in cohort(cell.seed).phantoms[:TRAINED]]
    if cell.pairs == "none":
        return PairPolicy(), {}
    if cell.pairs == "label":
        return PairPolicy(SameLabel.of(labels), cell.drop), {"purity": 1.0}
    matrix, valid = similarity(cell)
    if cell.read < 1.0:
        kept = np.random.default_rng([cell.seed, 23]).random(TRAINED) < cell.read
        valid = valid & kept[:, None] & kept[None, :]
    threshold = cell.threshold
    if threshold is None:
        threshold = threshold_for_rate(matrix, valid, cell.positive_rate or 0.0)
    relation = PairMatrix.of(matrix, valid, threshold)
    said = {
        "purity": purity(matrix, valid, threshold, labels),
        "positive_rate": positive_rate(matrix, valid, threshold),
        "threshold": threshold,
    }
    return PairPolicy(relation, cell.drop if cell.pairs == "gzpt" else 0.0), said


@functools.lru_cache(4)
def _similarity(
    measure: str, readers: int, accuracy_deg: float, loss: float, g: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    phantoms = cohort(seed).phantoms[:TRAINED]
    readings = read_all(phantoms, readers, Tracker(accuracy_deg, loss), seed)
    mixed = permuted(readings, g, np.random.default_rng([seed, 17]))
    owners = np.repeat(np.arange(TRAINED), readers)
    names = tuple(str(k) for k in range(TRAINED))
    gazes = GazeList(names, [gaze for own in mixed for gaze in own], owners)
    named, settings = VARIANTS.get(measure, (measure, {}))
    found = prepare(named, gazes, settings, ComparisonControl()).matrix()
    return found.matrix, found.valid


def similarity(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """Return similarity and validity (N, N) of the images that a cell pre-trains on."""
    return _similarity(
        cell.measure, cell.readers, cell.accuracy_deg, cell.loss, cell.g or 0.0, cell.seed
    )


def purity(
    matrix: np.ndarray, valid: np.ndarray, threshold: float, labels: list[str]
) -> float | None:
    """Return the share of positive pairs whose images are of one class; None without a pair."""
    names = np.array(labels)
    upper = np.triu_indices(len(names), k=1)
    positive = (matrix[upper] > threshold) & valid[upper]
    same = names[upper[0]] == names[upper[1]]
    return float(same[positive].mean()) if positive.any() else None


def _pretrain(cell: Cell, config: RunConfig, policy: PairPolicy, folder: Path) -> tuple[Any, Job]:
    pixels = torch.from_numpy(cohort(cell.seed).pixels[:TRAINED])
    images = ImageCache(pixels, torch.full((TRAINED, 2), float(SIDE)))
    identity = Identity(config, f"phantoms of seed {cell.seed}", policy.hash(), TRAINED)
    job = Job(identity, images, policy, folder, CPU, choose_precision(config.precision, CPU))
    return train(job, lambda event: None, lambda: False), job


def probe(seed: int, make: Any) -> dict[str, Any]:
    """Return AUC by probe and budget: the mean over draws of labels, and each draw's."""
    own = cohort(seed)
    features = extract(Candidate("cell", (SIDE, SIDE), make, None, {}), own.pixels, CPU)
    settings = Settings(BUDGETS, ("linear", "knn"), DRAWS, seed)
    found = evaluate({"cell": features}, own.labelled, own.splits, settings)
    rows = [row for row in found.rows if row["metric"] == "auc"]
    return {
        probe: {str(r["budget"]): round(r["mean"], 5) for r in rows if r["probe"] == probe}
        for probe in ("linear", "knn")
    }


def supervised(seed: int) -> dict[str, Any]:
    """Train ResNet-18 on all labels: whether the phantoms can carry the question."""
    own, begun = cohort(seed), time.perf_counter()
    data = own.labelled

    def make() -> torch.nn.Module:
        with seeded_weights(seed):
            return make_encoder("resnet18")[0]

    train_set, test_set = own.pixels[:TRAINED], own.pixels[TRAINED:]
    codes = data.codes
    scores = finetune(make, train_set, codes[:TRAINED], len(CLASSES), test_set, CPU, seed)
    found = score_all(scores, codes[TRAINED:], np.ones((1, TESTED)))
    figures = {name: round(float(value[0]), 4) for name, value in found.items()}
    return {
        "cell": "supervised", "key": {"supervised": True, "seed": seed}, "seed": seed, **figures,
        "seconds": round(time.perf_counter() - begun, 1),
    }  # fmt: skip


def untrained(seed: int) -> dict[str, Any]:
    """Probe the net as it is initialised."""

    def make() -> torch.nn.Module:
        with seeded_weights(seed):
            return make_encoder("resnet18")[0]

    return {
        "cell": "untrained", "key": {"untrained": True, "seed": seed}, "seed": seed,
        **probe(seed, make),
    }  # fmt: skip


def plan_facts() -> dict[str, Any]:
    """Return what all cells share, for the page."""
    return {"trained": TRAINED, "tested": TESTED, "side": SIDE, "batch": BATCH, "epochs": EPOCHS,
            "draws": DRAWS, "config": asdict(config_of(Cell()))}  # fmt: skip
