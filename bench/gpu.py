"""The trainer on a CUDA card, in one go: fourteen checks, one JSON line or more for each.

python bench/gpu.py [--budget 340] [--out gpu.jsonl] [--only NAME,NAME] [--skip NAME]
python bench/gpu.py --device cpu --tiny        does the script still know the trainer?

Every check is fenced: a failure is a line with "ok": false and the traceback's tail, and the next
one runs. The order is that of worth; what no longer fits in the budget is said to be skipped. Ends
with 1 where a line says "ok": false. What a machine without a network must bring:
docs/benchmarks.md.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import torch  # noqa: E402
from gpu_checks.agreement import check_agreement, check_env, check_steps  # noqa: E402
from gpu_checks.bench import Bench  # noqa: E402
from gpu_checks.command import check_command  # noqa: E402
from gpu_checks.costs import check_costs  # noqa: E402
from gpu_checks.memory import check_oom  # noqa: E402
from gpu_checks.peer import check_lightly  # noqa: E402
from gpu_checks.processes import check_nccl  # noqa: E402
from gpu_checks.resume import check_resume  # noqa: E402
from gpu_checks.switches import check_recorded, check_switches  # noqa: E402
from gpu_checks.throughput import check_compile, check_syncs, check_throughput  # noqa: E402

from trainer.process.device import prepare_device  # noqa: E402

CHECKS: dict[str, tuple[Callable[[Bench], None], float]] = {
    "env": (check_env, 0),
    "agreement": (check_agreement, 20),
    "oom": (check_oom, 15),
    "syncs": (check_syncs, 10),
    "recorded": (check_recorded, 15),
    "lightly": (check_lightly, 30),
    "switches": (check_switches, 15),
    "throughput": (check_throughput, 60),
    "steps": (check_steps, 60),
    "resume": (check_resume, 20),
    "nccl": (check_nccl, 20),
    "command": (check_command, 40),
    "costs": (check_costs, 10),
    "compile": (check_compile, 60),
}
"""Each check and the seconds that it needs at full size."""

_ROOM = 24 * 2**30
"""Bytes that all checks write at most, checkpoints of 200 MB each."""


def main() -> int:
    """Run what is asked for; 1 where a line said "ok": false."""
    options = _options()
    work = Path(tempfile.mkdtemp(prefix="foveate-gpu-", dir=_memory_disk(options.device)))
    os.environ.setdefault("FOVEATE_CONFIG_DIR", str(work / "config"))
    device = torch.device("cuda", 0) if options.device == "cuda" else torch.device("cpu")
    prepare_device(device)
    bench = Bench(device, options.tiny, options.budget, work, options.out)
    try:
        for name in options.only:
            check, needed_s = CHECKS[name]
            if bench.lacks(needed_s):
                bench.skip(name)
            else:
                bench.fenced(name, lambda c=check: c(bench))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bench.say("end", not bench.failed, failed=list(bench.failed))
    return int(bool(bench.failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script")
    parser.add_argument("--budget", type=float, default=330.0, help="seconds for all checks")
    parser.add_argument("--only", default=",".join(CHECKS), help=f"of {', '.join(CHECKS)}")
    parser.add_argument("--skip", default="", help="of the same")
    parser.add_argument("--out", type=Path, help="file that the lines are added to")
    options = parser.parse_args()
    only, skip = ({n for n in text.split(",") if n} for text in (options.only, options.skip))
    if unknown := (only | skip) - set(CHECKS):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA device; --device cpu --tiny tries the script")
    options.only = [name for name in CHECKS if name in only - skip]
    return options


def _memory_disk(device: str) -> Path | None:
    """Return a roomy folder in memory, which keeps the disk out of a card's timings."""
    folder = Path("/dev/shm")
    roomy = device == "cuda" and folder.is_dir() and shutil.disk_usage(folder).free > _ROOM
    return folder if roomy else None


if __name__ == "__main__":  # the peer's loader may spawn
    sys.exit(main())
