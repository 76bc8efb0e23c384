"""Jobs of the trainer on made pictures, and how they are run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from gpu_checks.bench import Bench
from torch import Tensor, nn

from trainer.config.layers import make_config
from trainer.data.cache import ImageCache, cache_side
from trainer.data.stored_cache import StoredCache
from trainer.pairs.policy import PairMatrix, PairPolicy, SameLabel, SparsePairs
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.job import Job
from trainer.pretrain.learner import Learner, make_learner
from trainer.pretrain.loop import Outcome, train
from trainer.pretrain.window_draws import StoredViews
from trainer.process.device import choose_precision
from trainer.process.events import Event, Metrics


@cache
def pixels_of(images: int, side: int) -> Tensor:
    """Return smooth random pictures of two kinds, (N, side, side), uint8: they can be learnt."""
    rng = torch.Generator().manual_seed(5)
    coarse = torch.rand(images, 1, side // 8, side // 8, generator=rng)
    coarse[::2, :, : side // 16] += 0.7
    made = nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return (made[:, 0] / 1.7 * 255).clamp(0, 255).to(torch.uint8)


def stored_of(images: int, side: int, jitter: float) -> StoredViews:
    """Return the pictures as 16 bits, each with a wide and a narrow window, drawn alike often."""
    values = (pixels_of(images, side).int() * 257).clamp(min=1)
    bits = torch.where(values > 32767, values - 65536, values).to(torch.int16)
    ends = torch.full((images,), 65534.0, dtype=torch.float64)
    cached = StoredCache(bits, torch.zeros_like(ends), ends, ("",) * images, Path())
    number = torch.arange(images, dtype=torch.float64)
    return StoredViews(
        cached,
        torch.stack([number + 0.5, number + 1], 1).flatten(),
        torch.tensor([1.0, 16_000.0], dtype=torch.float64).repeat(images),
        torch.tensor([65_534.0, 30_000.0], dtype=torch.float64).repeat(images),
        torch.tensor([False, True]).repeat(images),
        torch.arange(images) % 3 == 0,
        torch.ones(images, dtype=torch.bool),
        jitter,
    )


def policy_of(kind: str, images: int, drop: float) -> PairPolicy:
    """Return pairs of one kind: every second image is alike."""
    if kind == "none":
        return PairPolicy()
    if kind == "label":
        return PairPolicy(SameLabel.of([str(i % 2) for i in range(images)]))
    same = np.arange(images)[:, None] % 2 == np.arange(images)[None, :] % 2
    if kind == "sparse":
        rows, columns = np.nonzero(same & ~np.eye(images, dtype=bool))
        return PairPolicy(SparsePairs.of_edges(rows, columns, images), drop)
    relation = PairMatrix.of(same.astype(float), np.ones(images, bool), 0.5)
    return PairPolicy(relation, drop if kind == "gzpt" else 0.0)


def job_of(
    bench: Bench,
    name: str,
    images: int,
    *,
    device: torch.device | None = None,
    held: bool = True,
    pairs: str = "gzpt",
    **settings: object,
) -> Job:
    """Return a job in a folder of its name.

    Parameters
    ----------
    bench, name, images
        The run of the checks; name of the folder; how many pictures.
    device, held
        Where it computes, unless on the bench's; whether the pictures lie there too.
    pairs
        As `RunConfig` names them, or "sparse": GzPT's, kept as a graph.
    settings
        Of the config.
    """
    device = device or bench.device
    config = make_config(
        {"size": 64, "batch": 64, "knn_every": 1_000_000, "warmup_epochs": 0.0, **settings},
        {"pairs": "gzpt" if pairs == "sparse" else pairs},
    )
    side = cache_side(max(config.view))
    cached = ImageCache(pixels_of(images, side), torch.full((images, 2), float(side)))
    policy = policy_of(pairs, images, config.drop)
    folder = bench.work / name.replace("/", "_")
    folder.mkdir(exist_ok=True, parents=True)
    stored = None
    if config.depth == "stored":
        stored = stored_of(images, side, config.window_jitter)
        stored = replace(stored, cache=stored.cache.held_on(device)) if held else stored
    return Job(
        Identity(config, "cohort", policy.hash(), images),
        cached.held_on(device) if held else cached,
        policy,
        folder,
        device,
        choose_precision(config.precision, device),
        labels=torch.arange(images) % 2,
        groups=torch.arange(images) // 2,
        stored=stored,
    )


def learner_of(job: Job) -> Learner:
    """Return the nets and the optimiser of a job, ready for `take_step`."""
    learner = make_learner(job)
    learner.method.train()
    return learner


class StopAfter:
    """Asks a run to stop after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        """Return whether it is time."""
        self.left -= 1
        return self.left < 0


def run(job: Job, stop: Callable[[], bool] = lambda: False) -> tuple[Outcome, list[Metrics]]:
    """Train by the product's own loop; return how it ended and what it reported."""
    events: list[Event] = []
    outcome = train(job, events.append, stop)
    return outcome, [e for e in events if isinstance(e, Metrics)]


def worst(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """Return the largest difference between two sets of weights."""
    return max(
        float((v.double().cpu() - other[k].double().cpu()).abs().max())
        for k, v in one.items()
        if v.numel()
    )
