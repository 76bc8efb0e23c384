"""What every check is given: device, sizes, time that is left, and where its line goes."""

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from migrations.study.processes import MAIN

ROOT = MAIN.parent


@dataclass(slots=True)
class Bench:
    """One run of the checks.

    Attributes
    ----------
    device, tiny
        What is computed on; whether sizes are those that try the script on a CPU.
    budget_s, work, out
        Seconds for all checks; folder that is thrown away; file that the lines go to as well.
    failed
        Names of the lines that said "ok": false.
    """

    device: torch.device
    tiny: bool
    budget_s: float
    work: Path
    out: Path | None = None
    failed: list[str] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)

    @property
    def cuda(self) -> bool:
        """Whether there is a card."""
        return self.device.type == "cuda"

    @property
    def fast_precision(self) -> str:
        """What the nets are timed in."""
        return "bf16" if self.cuda else "fp32"

    def spent_s(self) -> float:
        """Return seconds since the start."""
        return time.perf_counter() - self._started

    def lacks(self, needed_s: float) -> bool:
        """Return whether less time is left than a part needs; tiny parts need next to none."""
        return self.budget_s - self.spent_s() < (0 if self.tiny else needed_s)

    def say(self, name: str, ok: bool | None, **facts: object) -> None:
        """Print a line and keep it."""
        row = {"check": name, "ok": ok, **facts, "at_s": round(self.spent_s(), 1)}
        line = json.dumps(row, default=str)
        print(line, flush=True)
        if ok is False:
            self.failed.append(name)
        if self.out:
            with self.out.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def skip(self, name: str) -> None:
        """Say that no time is left for a check: a fault, but of tiny sizes, which prove little."""
        left_s = self.budget_s - self.spent_s()
        self.say(name, None if self.tiny else False, skipped=f"{left_s:.0f} s left")

    def fenced(self, name: str, work: Callable[[], None]) -> None:
        """Do some work; what it raises becomes a line, and the card's memory is given back."""
        try:
            work()
        except Exception as error:
            self.say(name, False, **tail(error))
        finally:
            if self.cuda:
                torch.cuda.empty_cache()

    def sync(self) -> None:
        """Wait until the card has done all that was asked."""
        if self.cuda:
            torch.cuda.synchronize()

    def seconds_each(self, work: Callable[[int], object], warm: int, steps: int) -> float:
        """Return seconds of one step, after some that do not count."""
        for step in range(warm):
            work(step)
        self.sync()
        began = time.perf_counter()
        for step in range(steps):
            work(warm + step)
        self.sync()
        return (time.perf_counter() - began) / steps


def tail(error: BaseException) -> dict[str, str]:
    """Return what went wrong and the last places it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(f.filename).name}:{f.lineno}" for f in frames][-4:]
    return {"error": f"{type(error).__name__}: {error}"[:500], "where": " > ".join(where)}
