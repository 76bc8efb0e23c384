"""Run by torchrun: each method for some steps on a small net; the first process writes weights.

``torchrun --nproc-per-node 2 two_processes.py OUT``
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from tests.trainer.pretrain.test_loop import StopAfter, job_in
from trainer.config.config import RunConfig
from trainer.config.methods import METHODS
from trainer.encoders import nets
from trainer.pretrain.loop import train
from trainer.pretrain.paths import ScanPaths
from trainer.process import distributed


class Tiny(nn.Module):
    """Two convolutions and group normalisation (SyncBN needs CUDA)."""

    def __init__(self, weights: None) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1)
        )
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


def config_of(method: str) -> RunConfig:
    return RunConfig(
        method=method, size=16, batch=4, epochs=3, lr=1e-2, device="cpu", norm="group", drop=0.5,
        queue=7, accumulate=2, projector_hidden=32, predictor_hidden=32, optimiser="sgd",
        same_patient="ignore",
    )  # fmt: skip


def some_paths(images: int, side: int) -> ScanPaths:
    """Return twelve fixations of three images of four."""
    draws = torch.Generator().manual_seed(3)
    made = [torch.rand(12, 2, generator=draws) * side for _ in range(images)]
    return ScanPaths.of([[path] if k % 4 else [] for k, path in enumerate(made)])


def main(out: Path) -> None:
    torch.set_num_threads(1)
    nets._MAKERS["resnet18"] = Tiny
    with distributed.joined("cpu"):
        for method in METHODS:
            job = job_in(out / method, config_of(method))
            if METHODS[method].paths:
                job = replace(job, paths=some_paths(len(job.images), job.images.side))
            outcome = train(job, lambda _: None, lambda: False)
            if distributed.rank() == 0:
                torch.save(outcome.method.state_dict(), out / f"{method}.pt")
        for method in (m for m, spec in METHODS.items() if spec.paths):
            # Nobody looked at anything: a part of the method has nothing to learn from.
            job = job_in(out / "unread", config_of(method))
            outcome = train(job, lambda _: None, lambda: False)
            if distributed.rank() == 0:
                torch.save(outcome.method.state_dict(), out / f"{method}-unread.pt")
        job = job_in(out / "stopped", config_of("byol"))
        train(job, lambda _: None, StopAfter(3))  # one batch of two into the optimiser's step
        outcome = train(job, lambda _: None, lambda: False)
        if distributed.rank() == 0:
            torch.save(outcome.method.state_dict(), out / "stopped.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
