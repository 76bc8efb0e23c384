"""What each switch brings, most worth first: the step recorded, compiled, both; and whether right.

Each row has whole steps, the net alone with the same switch, and what Python needs of a step. What
there was before the switches: docs/benchmarks.md.
"""

import contextlib
from dataclasses import dataclass

import torch
from gpu_checks.bench import Bench
from gpu_checks.jobs import job_of, learner_of, worst
from gpu_checks.throughput import CASES, TINY_CASES, Case, Timed, no_inductor
from torch import Tensor

from trainer.pretrain.batches import Batches, make_batch
from trainer.pretrain.loop import take_step
from trainer.process.device import prepare_device

_BYOL, _MOCOV2, _SIMSIAM, _VIT_S, _R50, _SIMCLR, _VIT_B = CASES
_RECORDED: dict[str, object] = {"cuda_graph": True}
_COMPILED: dict[str, object] = {"compile": True}


@dataclass(frozen=True, slots=True)
class Row:
    """A case with some switches, and the seconds that it needs."""

    case: Case
    switches: dict[str, object]
    needed_s: float

    @property
    def name(self) -> str:
        """As the lines have it."""
        return f"{self.case.name}: {'+'.join(map(str, self.switches)) or 'as shipped'}"


ROWS = (
    Row(_BYOL, {}, 12),
    Row(_BYOL, _RECORDED, 10),
    Row(_SIMSIAM, {}, 8),
    Row(_SIMSIAM, _RECORDED, 8),
    Row(_VIT_S, {}, 18),
    Row(_VIT_S, _RECORDED, 18),
    Row(_VIT_S, {**_COMPILED, **_RECORDED}, 60),
    Row(_SIMCLR, _RECORDED, 8),
    Row(_MOCOV2, _RECORDED, 8),
    Row(_VIT_S, {**_COMPILED, "compile_mode": "reduce-overhead"}, 50),
    Row(_BYOL, {**_COMPILED, **_RECORDED}, 45),
    Row(_R50, _RECORDED, 15),
)
TINY_ROWS = (Row(TINY_CASES[0], _RECORDED, 0), Row(TINY_CASES[0], _COMPILED, 0))


def check_recorded(bench: Bench) -> None:
    """Train some steps as they are and recorded; the weights must be the same."""
    rows = {}
    settings = [("byol", "bf16"), ("mocov2", "fp16"), ("mocov3", "fp32")]
    try:
        prepare_device(bench.device, deterministic=True)
        for method, precision in settings[:1] if bench.tiny else settings:
            chosen = "fp32" if bench.tiny else precision
            plain, again, recorded = (
                _trained(bench, f"{method}-{i}", method, chosen, graph)
                for i, graph in enumerate((False, False, True))
            )
            rows[f"{method}/{chosen}"] = {
                "two runs as they are": worst(plain, again),
                "recorded": worst(plain, recorded),
            }
    finally:
        torch.use_deterministic_algorithms(False)
        prepare_device(bench.device)
    near = all(r["recorded"] <= max(1e-3, 10 * r["two runs as they are"]) for r in rows.values())
    bench.say("recorded_steps", near, rows=rows)


def _trained(
    bench: Bench, name: str, method: str, precision: str, graph: bool
) -> dict[str, Tensor]:
    images, batch, size = (32, 8, 32) if bench.tiny else (256, 64, 64)
    job = job_of(
        bench, f"recorded-{name}", images, method=method, size=size, batch=batch, epochs=5,
        precision=precision, cuda_graph=graph,
    )  # fmt: skip
    learner = learner_of(job)
    with contextlib.closing(Batches(job, 0, learner.method)) as batches:
        for step in range(12):
            take_step(job, learner, batches.next(), step, 1e-3)
            batches.step_queued()
    bench.sync()
    return {k: v.clone() for k, v in learner.method.state_dict().items()}


def check_switches(bench: Bench) -> None:
    """Time each row."""
    for row in TINY_ROWS if bench.tiny else ROWS:
        name = f"switch {row.name}"
        if bench.lacks(row.needed_s):
            bench.skip(name)
            continue
        bench.fenced(name, lambda n=name, r=row: bench.say(n, True, **_timed(bench, r)))


def _timed(bench: Bench, row: Row) -> dict[str, object]:
    torch._dynamo.reset()
    if bench.cuda:
        torch.cuda.reset_peak_memory_stats()
    with no_inductor() if bench.tiny else contextlib.nullcontext():
        timed = Timed.of(bench, row.case, row.name.replace(":", ""), row.switches)
        with contextlib.closing(Batches(timed.job, 0, timed.learner.method)) as batches:
            rows = timed.whole("whole", batches)
        made = make_batch(timed.job, 0)
        rows["net alone"] = timed.rate(
            lambda i: take_step(timed.job, timed.learner, made, i, 1e-4), 3, timed.steps
        )
    rows["ratio"] = round(float(str(rows["whole"])) / float(str(rows["net alone"])), 3)
    if bench.cuda:
        rows |= timed.host(made)
        rows["peak_gb"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return rows
