"""What becomes of stamps when a sender's clock misbehaves: the table in docs/reliability.md.

    python -m bench.stamp_faults

A sender is played against `devices.stamp_watch` at each rate for two minutes, polled every 10 ms
with a latency of 2 to 6 ms: what a sample's instant really was is known, so each placed stamp is
held against it, one by one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.stamp_watch import StampFault, StampWatch

Floats = NDArray[np.float64]
RATES_HZ = (30, 60, 250, 1200)
FAULT_AT_S, SECONDS, POLL_US = 30.0, 120.0, 10_000.0


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a sender.

    Attributes
    ----------
    error_us
        Shape (N,), of every sample: its placed stamp less the instant at which it was taken.
    true_us
        Shape (N,), those instants.
    faults
        What was said.
    """

    error_us: Floats
    true_us: Floats
    faults: list[StampFault]

    def settled_error_us(self, after_s: float) -> float:
        """Return the largest error from so many seconds after the fault on."""
        late = self.true_us >= 1e6 * (FAULT_AT_S + after_s)
        return float(np.abs(self.error_us[late]).max())


def play(
    rate_hz: float,
    stamp: Callable[[Floats], Floats],
    arrival: Callable[[Floats], Floats] = lambda true_us: true_us,
    seconds: float = SECONDS,
    seed: int = 0,
) -> Played:
    """Play a sender: `stamp` says what it stamps at an instant, `arrival` when that leaves it."""
    rng = np.random.default_rng(seed)
    true_us = np.asarray(np.arange(int(seconds * rate_hz)) * 1e6 / rate_hz, np.float64)
    stamps_us = stamp(true_us)
    leaves_us, batch = np.unique(arrival(true_us), return_inverse=True)
    arrives_us = np.maximum.accumulate(leaves_us + rng.uniform(2e3, 6e3, len(leaves_us)))[batch]
    polls = np.ceil(arrives_us / POLL_US)
    watch, placed, faults = StampWatch(), [], []
    for part in np.split(np.arange(len(true_us)), np.flatnonzero(np.diff(polls)) + 1):
        now_us = polls[part[0]] * POLL_US + rng.uniform(0, 1e3)
        found, said = watch.place(stamps_us[part], stamps_us[part], now_us)
        placed.append(found)
        faults += said
    error_us = np.asarray(np.concatenate(placed) - true_us, np.float64)
    return Played(error_us, true_us, faults)


def jump(size_s: float) -> Callable[[Floats], Floats]:
    """Return the stamps of a clock that jumps once."""
    return lambda t: t + np.where(t >= 1e6 * FAULT_AT_S, 1e6 * size_s, 0.0)


def drift(ppm: float) -> Callable[[Floats], Floats]:
    """Return the stamps of a clock that runs too fast."""
    return lambda t: t * (1 + ppm * 1e-6)


def equal_stamps(at_once: int) -> Callable[[Floats], Floats]:
    """Return stamps of which so many samples share one."""
    return lambda t: t[np.minimum((np.arange(len(t)) // at_once + 1) * at_once, len(t)) - 1]


def bursts(every_s: float) -> Callable[[Floats], Floats]:
    """Return when samples leave a sender that gives them out in bursts."""
    return lambda t: np.ceil(t / (1e6 * every_s)) * 1e6 * every_s


def later(by_s: float) -> Callable[[Floats], Floats]:
    """Return when samples leave a sender that is late from the fault on."""
    return lambda t: t + np.where(t >= 1e6 * FAULT_AT_S, 1e6 * by_s, 0.0)


FAULTS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    **{f"jump {size:+g} s": (jump(size), lambda t: t) for size in (-60, -2, -0.05, 0.05, 2, 60)},
    **{f"drift {ppm:+d} ppm": (drift(ppm), lambda t: t) for ppm in (-500, 500)},
    "bursts of 0.5 s": (lambda t: t, bursts(0.5)),
    "4 samples, one stamp": (equal_stamps(4), equal_stamps(4)),
    "0.3 s late for good": (lambda t: t, later(0.3)),
    "none": (lambda t: t, lambda t: t),
}


def main() -> None:
    """Print the table."""
    head = "".join(f" {rate} Hz |" for rate in RATES_HZ)
    print(f"| fault | said |{head}\n|---|---|{'---|' * len(RATES_HZ)}")
    for name, (stamp, arrival) in FAULTS.items():
        runs = [play(rate, stamp, arrival) for rate in RATES_HZ]
        said = ", ".join(sorted({f.kind for run in runs for f in run.faults})) or "nothing"
        cells = " | ".join(f"{run.settled_error_us(1.0) / 1e3:.1f}" for run in runs)
        print(f"| {name} | {said} | {cells} |")


if __name__ == "__main__":
    main()
