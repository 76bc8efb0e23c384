"""Whether a run that was stopped ends as one that was not."""

import torch
from gpu_checks.bench import Bench
from gpu_checks.jobs import StopAfter, job_of, run, worst
from torch import Tensor

# Method, precision, whether cuDNN is held to kernels that always sum in one order, and what views
# are cut from.
_WAYS = (
    ("byol", "bf16", False, "display"),
    ("mocov2", "fp16", False, "display"),
    ("byol", "fp32", True, "display"),
    ("byol", "fp32", True, "stored"),
    ("mocov2", "bf16", True, "display"),
)
_TINY_WAYS = (("byol", "fp32", True, "display"), ("byol", "fp32", True, "stored"))


def check_resume(bench: Bench) -> None:
    """Train twice straight and once with stops; say how far apart the weights are."""
    rows, ok = {}, True
    for method, precision, exact, depth in _TINY_WAYS if bench.tiny else _WAYS:
        before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
        if exact:
            torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        try:
            straight, again, stopped = (
                _weights(bench, method, precision, depth, f"{exact}-{way}", way == "stopped")
                for way in ("straight", "again", "stopped")
            )
        finally:
            torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before
        apart, stopped_apart = worst(straight, again), worst(straight, stopped)
        kernels = "deterministic" if exact else "as shipped"
        rows[f"{method}/{precision}/{depth}/{kernels}"] = {
            "two_straight_runs_differ": apart,
            "stopped_differs": stopped_apart,
        }
        ok &= stopped_apart <= max(apart * 10, 0.0 if exact and apart == 0 else 1e-2)
    bench.say("resume", ok, rows=rows)


def _weights(
    bench: Bench, method: str, precision: str, depth: str, name: str, stops: bool
) -> dict[str, Tensor]:
    images, batch, size, epochs = (16, 8, 32, 2) if bench.tiny else (128, 32, 64, 3)
    job = job_of(
        bench, f"resume-{method}-{precision}-{depth}-{name}", images, method=method,
        precision=precision, size=size, batch=batch, epochs=epochs, accumulate=2, queue=100,
        depth=depth, window_jitter=0.2,
    )  # fmt: skip
    for steps in (3, 2) if stops else ():
        run(job, StopAfter(steps))
    out, _ = run(job)
    return {k: v.detach().clone() for k, v in out.method.state_dict().items()}
