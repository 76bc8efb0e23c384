"""Whether a lack of memory is said in words, and nothing else taken for one."""

import torch
from gpu_checks.bench import Bench, tail
from gpu_checks.jobs import job_of, run

from trainer.errors import OutOfMemory
from trainer.pretrain.out_of_memory import memory_explained


def check_oom(bench: Bench) -> None:
    """Ask for too large a batch: it is said in words, and the next run works."""
    rows: dict[str, object] = {}
    if bench.cuda:
        rows["oom"] = _too_large(bench)
        out, _ = run(job_of(bench, "after-oom", 32, size=64, batch=16, epochs=1))
        rows["a run after it"] = out.finished
    rows["illegal memory access"] = _another_fault(bench)
    said = str(rows.get("oom", "said")).startswith("said")
    ok = said and rows.get("a run after it", True) and "WRONGLY" not in str(rows)
    bench.say("out_of_memory", bool(ok), rows=rows)


def _too_large(bench: Bench) -> object:
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.02)
    try:
        run(
            job_of(
                bench, "oom", 256, precision="bf16", encoder="vit_b_16", size=224, batch=256,
                method="mocov3", epochs=1,
            )
        )  # fmt: skip
    except OutOfMemory as error:
        return f"said: {error}"[:200]
    except Exception as error:
        return tail(error)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    return "no error at 2 % of the memory"


def _another_fault(bench: Bench) -> str:
    """Raise a fault that speaks of memory but is no lack of it."""
    job = job_of(bench, "not-oom", 16, size=32, batch=8, epochs=1)
    try:
        with memory_explained(job):
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
    except OutOfMemory:
        return "WRONGLY called out of memory"
    except RuntimeError:
        return "left as it is"
