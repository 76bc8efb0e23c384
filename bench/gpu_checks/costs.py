"""What the host pays: masks of a long queue, orders of a large cohort, a checkpoint, views."""

import statistics
import time

import torch
from gpu_checks.bench import Bench
from gpu_checks.jobs import job_of, policy_of, run

from trainer.pretrain.batches import batch_ids, make_batch
from trainer.pretrain.checkpoint import load_checkpoint, save_checkpoint
from trainer.pretrain.learner import make_learner
from trainer.process.seeds import Stream, generator_for


def check_costs(bench: Bench) -> None:
    """Time each by itself."""
    rows: dict[str, object] = {}
    for queue in (1280,) if bench.tiny else (1280, 65536):
        rows[f"gzpt mask 256 x {queue}, ms"] = round(1e3 * _mask_s(bench, queue), 2)
    rows["ids of a batch of 100,000, ms"] = round(1e3 * _order_s(), 2)
    rows |= _checkpoint(bench)
    each = _views_ms(bench)
    found = statistics.median(each), max(each), max(each[len(each) // 2 :])
    rows["views, ms: median, worst of all, worst of the later half"] = [round(v, 2) for v in found]
    bench.say("costs", True, rows=rows)


def _mask_s(bench: Bench, queue: int) -> float:
    policy, ids = policy_of("gzpt", 256, 0.5), torch.arange(256)
    earlier = torch.randint(0, 256, (queue,))
    draws = generator_for(0, Stream.PAIRS, 0)
    return bench.seconds_each(lambda _: policy.with_earlier(ids, earlier, draws), 1, 5)


def _order_s() -> float:
    began = time.perf_counter()
    for step in range(50):
        batch_ids(0, step, 100_000, 256)
    return (time.perf_counter() - began) / 50


def _checkpoint(bench: Bench) -> dict[str, object]:
    encoder = "resnet18" if bench.tiny else "resnet50"
    job = job_of(bench, "costs", 64, size=32, batch=16, encoder=encoder, epochs=1)
    out, _ = run(job)
    learner = make_learner(job)
    learner.restore(load_checkpoint(out.checkpoint, job.identity))
    state = {"method": learner.method.state_dict(), "optimiser": learner.optimiser.state_dict()}
    began = time.perf_counter()
    path = save_checkpoint(bench.work, 1, job.identity, state)
    seconds = time.perf_counter() - began
    return {
        "checkpoint, s": round(seconds, 2),
        "checkpoint, MB": round(path.stat().st_size / 1e6),
    }


def _views_ms(bench: Bench) -> list[float]:
    size, batch, steps = (64, 16, 4) if bench.tiny else (128, 256, 60)
    job = job_of(bench, "blur", 512, size=size, batch=batch)
    each = []
    for step in range(steps):  # counts of blurred images differ from step to step
        bench.sync()
        began = time.perf_counter()
        make_batch(job, step)
        bench.sync()
        each.append((time.perf_counter() - began) * 1e3)
    return each
