"""SyncBN, DDP, the gathers and the objects over NCCL (gloo on a CPU), with one process."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.distributed as dist
from gpu_checks.bench import Bench
from gpu_checks.jobs import job_of, learner_of
from torch import nn

from trainer.config.methods import METHODS
from trainer.methods import byol, mocov2, mocov3, simclr, simsiam
from trainer.pretrain.batches import make_batch
from trainer.pretrain.job import Job
from trainer.pretrain.learner import OWN_BUFFERS, Learner
from trainer.pretrain.loop import take_step
from trainer.pretrain.optimise import make_optimiser
from trainer.process import distributed


def check_nccl(bench: Bench) -> None:
    """Compare three steps as one process makes them with three as one of several would."""
    with _joined(bench):
        apart = {m: _differences(bench, m) for m in METHODS}
        apart["byol/stored"] = _differences(bench, "byol", "stored")
        ok = all(float(first) < 1e-3 for first, *_ in apart.values())
        rows: dict[str, object] = dict(apart)
        # What the first process sends to the others: are device tensors among it?
        rows["relation travels on"] = _sent_relation(bench)
        flag = torch.tensor([1])
        dist.all_reduce(flag, dist.ReduceOp.MAX, group=distributed._control)
    note = "a relation on cuda:0 makes every other process open a context on card 0"
    bench.say("nccl_one_process", ok, rows=rows, note=note)


@contextlib.contextmanager
def _joined(bench: Bench) -> Iterator[None]:
    """Join a group of one, as `distributed.joined` joins one of several."""
    store = f"file://{bench.work / 'rendezvous'}"
    dist.init_process_group(
        "nccl" if bench.cuda else "gloo", init_method=store, rank=0, world_size=1
    )
    try:
        distributed._control = dist.new_group(backend="gloo")
        yield
    finally:
        distributed._control = None
        dist.destroy_process_group()


def _sizes(bench: Bench) -> tuple[int, int, int]:
    """Return images, batch and size."""
    return (32, 8, 32) if bench.tiny else (128, 32, 64)


def _differences(bench: Bench, method: str, depth: str = "display") -> list[str]:
    alone, shared = (_losses(bench, method, depth, among) for among in (False, True))
    return [f"{abs(a - b):.1e}" for a, b in zip(alone, shared, strict=True)]


def _losses(bench: Bench, method: str, depth: str, among: bool) -> list[float]:
    images, batch, size = _sizes(bench)
    job = job_of(
        bench, f"nccl-{method}-{depth}-{among}", images, method=method, size=size, batch=batch,
        precision="fp32", norm="batch" if bench.cuda else "group", depth=depth, window_jitter=0.2,
    )  # fmt: skip
    learner = learner_of(job)
    with _gathering() if among else contextlib.nullcontext():
        if among:
            _share(job, learner)
        return [
            float(take_step(job, learner, make_batch(job, s), s, 1e-3).loss.detach())
            for s in range(3)
        ]


def _share(job: Job, learner: Learner) -> None:
    """Make of a learner one of several, which the trainer does only where there are others."""
    cuda = job.device.type == "cuda"
    if cuda:
        learner.method = nn.SyncBatchNorm.convert_sync_batchnorm(learner.method)
        learner.optimiser = make_optimiser(job.config, learner.method)
    learner.call = nn.parallel.DistributedDataParallel(
        learner.method, [0] if cuda else None, **OWN_BUFFERS
    )


@contextlib.contextmanager
def _gathering() -> Iterator[None]:
    """Let the methods gather although there is one process."""
    modules = (byol, mocov2, mocov3, simclr, simsiam)
    for module in modules:
        module.gather = distributed._Gather.apply
    try:
        yield
    finally:
        for module in modules:
            module.gather = distributed.gather


def _sent_relation(bench: Bench) -> str:
    images, batch, size = _sizes(bench)
    job = job_of(bench, "nccl-object", images, size=size, batch=batch)
    sent = [replace(job, images=job.images.described(), device=torch.device("cpu"))]
    dist.broadcast_object_list(sent, src=0, group=distributed._control)
    return str(sent[0].policy.related.table.device)
