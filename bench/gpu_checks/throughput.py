"""Whole steps, views and the net alone, timed; where the host waits; what compiling gains."""

import contextlib
import copy
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import torch
from gpu_checks.bench import Bench
from gpu_checks.jobs import job_of, learner_of
from torch import nn

from trainer.encoders.nets import to_input
from trainer.methods.base import StepOutput
from trainer.pretrain.batches import Batch, Batches, make_batch
from trainer.pretrain.job import Job
from trainer.pretrain.learner import Learner
from trainer.pretrain.loop import take_step


@dataclass(frozen=True, slots=True)
class Case:
    """What is timed: a method, an encoder, sizes, and how many pictures there are."""

    method: str
    encoder: str
    size: int
    batch: int
    images: int

    @property
    def name(self) -> str:
        """As the lines have it."""
        return f"{self.encoder}/{self.size}/{self.batch} {self.method}"

    @property
    def settings(self) -> dict[str, object]:
        """Of the config."""
        return {
            "method": self.method, "encoder": self.encoder, "size": self.size, "batch": self.batch,
        }  # fmt: skip


CASES = (
    Case("byol", "resnet18", 128, 256, 2048),
    Case("mocov2", "resnet18", 128, 256, 2048),
    Case("simsiam", "resnet18", 128, 256, 2048),
    Case("mocov3", "vit_s_16", 224, 256, 1024),
    Case("byol", "resnet50", 224, 128, 1024),
    Case("simclr", "resnet18", 128, 256, 2048),
    Case("mocov3", "vit_b_16", 224, 128, 1024),
)
TINY_CASES = (Case("byol", "resnet18", 32, 8, 64), Case("mocov3", "vit_s_16", 32, 8, 64))
VARIANTS: dict[str, dict[str, object]] = {
    "as shipped": {},
    "workers=4": {"workers": 4},
    "workers=0": {"workers": 0},
}
MORE_VARIANTS: dict[str, dict[str, object]] = {
    "cache on the host": {"held": False},
    "contiguous": {"channels_last": False},
}


def check_throughput(bench: Bench) -> None:
    """Time images per second of whole steps, of views alone and of the net alone."""
    for case in TINY_CASES if bench.tiny else CASES:
        name = f"throughput {case.name}"
        if bench.lacks(50):
            bench.skip(name)
            continue
        bench.fenced(name, lambda n=name, c=case: bench.say(n, True, images_per_s=_rates(bench, c)))


def _rates(bench: Bench, case: Case) -> dict[str, object]:
    if bench.cuda:
        torch.cuda.reset_peak_memory_stats()
    rows: dict[str, object] = {}
    variants = VARIANTS
    if case == CASES[0]:
        variants = {**VARIANTS, **MORE_VARIANTS}
    if bench.tiny:
        variants = {"as shipped": {}}
    for name, more in variants.items():
        timed = Timed.of(bench, case, name, more)
        with contextlib.closing(Batches(timed.job, 0, timed.learner.method)) as batches:
            rows |= timed.whole(name, batches)
        if name == "as shipped":
            rows |= timed.alone()
    return rows


@dataclass(slots=True)
class Timed:
    """A job whose steps are timed."""

    bench: Bench
    job: Job
    learner: Learner
    warm: int
    steps: int
    waited_s: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, bench: Bench, case: Case, name: str, more: dict[str, object]) -> "Timed":
        """Return the job of a case with some more settings."""
        job = job_of(
            bench, f"{case.name}-{name}", case.images, epochs=1000,
            precision=bench.fast_precision, **case.settings, **more,
        )  # fmt: skip
        return cls(bench, job, learner_of(job), *((1, 2) if bench.tiny else (8, 25)))

    def rate(self, work: Callable[[int], object], warm: int, steps: int) -> float:
        """Return images per second of some work."""
        return round(self.job.batch / self.bench.seconds_each(work, warm, steps), 1)

    def whole(self, name: str, batches: Batches) -> dict[str, object]:
        """Time whole steps, views included."""

        def step(number: int) -> StepOutput:
            began = time.perf_counter()
            made = batches.next()
            self.waited_s.append(time.perf_counter() - began)
            output = take_step(self.job, self.learner, made, number, 1e-4)
            batches.step_queued()
            return output

        def reported(number: int) -> None:
            output = step(number)
            float(output.loss.detach()), float(output.mask.sum())

        each = self.bench.seconds_each(step, self.warm, self.steps)
        rows: dict[str, object] = {name: round(self.job.batch / each, 1)}
        rows[f"{name}: data wait"] = round(sum(self.waited_s[self.warm :]) / (each * self.steps), 3)
        if name == "as shipped":  # what short runs did before reports were limited on a card
            rows[f"{name}, loss read each step"] = self.rate(reported, 1, self._half)
        return rows

    @property
    def _half(self) -> int:
        return max(2, self.steps // 2)

    def alone(self) -> dict[str, object]:
        """Time views without the net, the net without views, and Python without either."""
        rows: dict[str, object] = {}
        rows["views alone"] = self.rate(lambda i: make_batch(self.job, i), self.warm, self._half)
        made = make_batch(self.job, 0)
        rows["net alone"] = self.rate(
            lambda i: take_step(self.job, self.learner, made, i, 1e-4), self.warm, self.steps
        )
        if self.bench.cuda:
            rows["peak_gb"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
            rows |= self.host(made)
        return rows

    def host(self, made: Batch) -> dict[str, object]:
        """Time until all kernels of a step are queued, what Python needs, and until they ran."""
        self.bench.sync()
        began = time.perf_counter()
        take_step(self.job, self.learner, made, 0, 1e-4)
        python_ms = (time.perf_counter() - began) * 1e3
        self.bench.sync()
        step_ms = (time.perf_counter() - began) * 1e3
        return {"python_ms": round(python_ms, 1), "step_ms": round(step_ms, 1)}


def check_syncs(bench: Bench) -> None:
    """Say where the host waits for the device within a step (torch's sync debug mode)."""
    if not bench.cuda:
        bench.say("host_syncs", True, note="needs CUDA")
        return
    rows: dict[str, object] = {}
    for method in ("byol", "mocov2"):
        job = job_of(bench, f"sync-{method}", 256, method=method, workers=0, precision="bf16")
        learner = learner_of(job)
        for step in range(3):
            take_step(job, learner, make_batch(job, step), step, 1e-3)
        made = make_batch(job, 3)
        parts: dict[str, Callable[[], object]] = {
            "batch": lambda j=job: make_batch(j, 4),
            "update": lambda j=job, n=learner, m=made: take_step(j, n, m, 4, 1e-3),
        }
        for part, work in parts.items():
            bench.sync()
            places = _waits(work)
            rows[f"{method}/{part}"] = {"count": places.total(), "places": places}
    bench.say("host_syncs", True, rows=rows)


def _waits(work: Callable[[], object]) -> Counter[str]:
    """Return how often the host waited, by file and line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            work()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [w for w in caught if "synchroniz" in str(w.message)]
    return Counter(f"{Path(w.filename).name}:{w.lineno}" for w in waits)


def check_compile(bench: Bench) -> None:
    """Compile with torch; say how long until the first step, and what it gains."""
    cases = (Case("byol", "resnet18", 128, 256, 517), Case("mocov3", "vit_s_16", 224, 128, 261))
    for case in (Case("simsiam", "resnet18", 32, 8, 21),) if bench.tiny else cases:
        name = f"compile {case.method} {case.encoder}"
        if bench.lacks(75):
            bench.skip(name)
            continue
        bench.fenced(name, lambda n=name, c=case: bench.say(n, True, **_compiled(bench, c)))


def _compiled(bench: Bench, case: Case) -> dict[str, object]:
    torch._dynamo.reset()
    job = job_of(
        bench, f"compile-{case.name}", case.images, compile=True, epochs=5,
        precision=bench.fast_precision, **case.settings,
    )  # fmt: skip
    # Inductor's code for a CPU takes a minute to build: tiny sizes try only what comes before it.
    with no_inductor() if bench.tiny else contextlib.nullcontext():
        began = time.perf_counter()
        learner = learner_of(job)
        take_step(job, learner, make_batch(job, 0), 0, 1e-4)
        bench.sync()
        first_s = time.perf_counter() - began
    made = make_batch(job, 1)
    warm, steps = (2, 2) if bench.tiny else (5, 20)
    each = bench.seconds_each(lambda i: take_step(job, learner, made, i, 1e-4), warm, steps)
    learner.method.eval()  # a look at the features: another batch, another mode
    with torch.no_grad():
        learner.method.encoder(to_input(made.view_1[:5], job.config.in_channels))
    return {
        "backend": "aot_eager" if bench.tiny else "inductor",
        "first_step_s": round(first_s, 1),
        "net_alone_img_s": round(case.batch / each, 1),
        "deepcopy": type(copy.deepcopy(learner.method.encoder)).__name__,
        "keys_plain": all("_orig_mod" not in k for k in learner.method.state_dict()),
    }


@contextlib.contextmanager
def no_inductor() -> Iterator[None]:
    """Let the trainer's own `encoder.compile()` trace the net and its gradient, and stop there."""
    plain = nn.Module.compile

    def chosen(module: nn.Module, **settings: object) -> None:
        plain(module, backend="aot_eager")

    with patch.object(nn.Module, "compile", chosen):
        yield
