"""What a training uses of this computer: cores, memory, and graphics cards.

Slow (it queries the system and, if installed, nvidia-smi): runs off the GUI thread.
"""

import contextlib
import shutil
import subprocess
from dataclasses import dataclass

import psutil

from migrations.study.processes import living

_GPU = ("utilization.gpu", "memory.used", "memory.total")
_SECONDS = 5.0
_MEASURED_S = 0.5


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card: share of the time it is computing, 0 … 1, and its memory, bytes."""

    busy: float
    used_bytes: float
    total_bytes: float


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """Cores in use and in total, memory of the process and its children in bytes, cards."""

    cores: float
    all_cores: int
    memory_bytes: float
    gpus: tuple[Gpu, ...]


def device_use(pid: int, born: float) -> DeviceUse | None:
    """Return what a process and its children use, over half a second; None if it has ended.

    Parameters
    ----------
    born
        When it was born, seconds since the epoch, since pids are reused.
    """
    process = living(pid, born)
    if process is None:
        return None
    with contextlib.suppress(psutil.Error):
        all_ = [process, *process.children(recursive=True)]
        for one in all_:
            with contextlib.suppress(psutil.Error):
                one.cpu_percent()
        with contextlib.suppress(psutil.Error, subprocess.TimeoutExpired):
            process.wait(_MEASURED_S)
        return DeviceUse(_sum(all_), psutil.cpu_count() or 1, _memory(all_), gpus())
    return None


def gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA cards of this computer according to nvidia-smi; none if there are none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    words = [program, f"--query-gpu={','.join(_GPU)}", "--format=csv,noheader,nounits"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=True)
        return parse_gpus(done.stdout)
    return ()


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    r"""Return the cards in nvidia-smi's csv of percent, MiB used and MiB in all.

    Examples
    --------
    >>> parse_gpus("87, 5120, 81920\n[N/A], 1, 2\n")
    (Gpu(busy=0.87, used_bytes=5368709120.0, total_bytes=85899345920.0),)
    """
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            busy, used, total = (float(word) for word in line.split(","))
            found.append(Gpu(busy / 100, used * 2**20, total * 2**20))
    return tuple(found)


def _sum(processes: list[psutil.Process]) -> float:
    cores = 0.0
    for one in processes:
        with contextlib.suppress(psutil.Error):
            cores += one.cpu_percent() / 100
    return cores


def _memory(processes: list[psutil.Process]) -> float:
    used = 0.0
    for one in processes:
        with contextlib.suppress(psutil.Error):
            used += one.memory_info().rss
    return used
