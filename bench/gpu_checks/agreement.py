"""Whether it is right: CPU against CUDA, every method with all pairs and precisions."""

import os
import shutil
import sys
import time

import numpy as np
import torch
from gpu_checks.bench import Bench, tail
from gpu_checks.jobs import job_of, learner_of, run
from torch import Tensor

from trainer.config.methods import METHODS
from trainer.pretrain.batches import make_batch
from trainer.pretrain.loop import take_step
from trainer.process.device import choose_precision

Trace = tuple[list[float], list[tuple[Tensor, Tensor, Tensor]]]
"""Losses of some steps, and views, ids and mask of each."""


def check_env(bench: Bench) -> None:
    """Say what all other lines were measured on."""
    facts: dict[str, object] = {
        "python": sys.version.split()[0], "torch": torch.__version__, "cpus": os.cpu_count(),
        "tiny": bench.tiny,
    }  # fmt: skip
    if bench.cuda:
        facts |= {
            "device": torch.cuda.get_device_name(0),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "bf16": torch.cuda.is_bf16_supported(including_emulation=False),
            "auto_precision": str(choose_precision("auto", bench.device)),
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_cudnn": torch.backends.cudnn.allow_tf32,
        }
    bench.say("env", True, **facts)


def check_agreement(bench: Bench) -> None:
    """Compare the first batches: CUDA against CPU in fp32, TF32 off, then as the product has it."""
    rows = {}
    allowed = torch.backends.cudnn.allow_tf32
    try:
        for method, depth in (*((m, "display") for m in METHODS), ("byol", "stored")):
            for tf32 in (False, True) if bench.cuda else (False,):
                torch.backends.cudnn.allow_tf32 = tf32
                cpu = _first_steps(bench, method, depth, torch.device("cpu"))
                rows[f"{method}/{depth}/tf32={tf32}"] = _compared(
                    cpu, _first_steps(bench, method, depth, bench.device)
                )
    finally:
        torch.backends.cudnn.allow_tf32 = allowed
    exact = [r for k, r in rows.items() if k.endswith("False")]
    bench.say("cpu_against_cuda", all(map(_agrees, exact)), rows=rows)


def _first_steps(bench: Bench, method: str, depth: str, device: torch.device) -> Trace:
    images, batch, size = (16, 8, 32) if bench.tiny else (96, 32, 64)
    job = job_of(
        bench, f"agree-{method}-{depth}-{device.type}", images, device=device, precision="fp32",
        method=method, size=size, batch=batch, epochs=2, lr=1e-3, depth=depth, window_jitter=0.2,
    )  # fmt: skip
    learner = learner_of(job)
    losses, batches = [], []
    for step in range(3):
        made = make_batch(job, step)
        output = take_step(job, learner, made, step, 1e-3)
        losses.append(float(output.loss.detach()))
        batches.append((made.view_1.cpu(), made.ids.cpu(), output.mask.cpu()))
    return losses, batches


def _compared(cpu: Trace, gpu: Trace) -> dict[str, object]:
    both = list(zip(cpu[1], gpu[1], strict=True))
    return {
        "loss_diff": [f"{abs(a - b):.1e}" for a, b in zip(cpu[0], gpu[0], strict=True)],
        "view_diff": max(float((a[0] - b[0]).abs().max()) for a, b in both),
        "same_ids": all(torch.equal(a[1], b[1]) for a, b in both),
        "same_mask": all(torch.equal(a[2], b[2]) for a, b in both),
    }


def _agrees(row: dict[str, object]) -> bool:
    near = row["view_diff"] < 1e-3 and float(row["loss_diff"][0]) < 1e-4
    return bool(row["same_ids"] and row["same_mask"] and near)


def check_steps(bench: Bench) -> None:
    """Train all methods x pairs x precisions, 20 steps each by the product's own loop."""
    kinds = ("none", "mcgip", "gzpt", "label", "sparse")
    cells = [(m, p, "bf16") for m in METHODS for p in kinds]
    cells += [(m, "gzpt", x) for m in METHODS for x in ("fp32", "fp16")]
    if bench.tiny:
        cells = [(m, "gzpt", "fp32") for m in METHODS] + [("byol", "sparse", "bf16")]
    bad: list[str] = []
    rows: dict[str, list[float]] = {}
    for method, pairs, precision in cells:
        name = f"{method}/{pairs}/{precision}"
        if bench.lacks(120):
            bad.append(f"{name}: no time")
            continue
        try:
            rows[name], sound = _cell(bench, method, pairs, precision)
            bad += [] if sound else [name]
        except Exception as error:
            bad.append(f"{name}: {tail(error)}")
        finally:
            shutil.rmtree(bench.work / f"steps-{method}-{pairs}-{precision}", ignore_errors=True)
    bench.say("steps", not bad, cells=len(rows), bad=bad[:8], first_last_loss_seconds=rows)


def _cell(bench: Bench, method: str, pairs: str, precision: str) -> tuple[list[float], bool]:
    """Return first loss, last loss and seconds; whether the run was sound and whole."""
    images, batch, size, epochs = (16, 8, 32, 1) if bench.tiny else (320, 64, 64, 4)
    began = time.perf_counter()
    job = job_of(
        bench, f"steps-{method}-{pairs}-{precision}", images, pairs=pairs, precision=precision,
        method=method, size=size, batch=batch, epochs=epochs,
    )  # fmt: skip
    out, metrics = run(job)
    row = [round(metrics[0].loss, 4), round(metrics[-1].loss, 4)]
    row.append(round(time.perf_counter() - began, 1))
    return row, bool(np.isfinite(out.loss_last)) and out.step == job.steps
