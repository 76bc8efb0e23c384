"""Fixation filter: samples per second offline, and F1 on simulated gaze by rate and noise.

Run from the repository: ``python -m bench.fixations [--samples N] [--seeds K]``.
"""

import argparse
import platform
import time

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from devices.gaze.fixations import FilterParameters, OnlineFixationFilter, detect_fixations
from tests.devices.gaze.gaze_signal import Recording, event_f1, simulate

RATES_HZ = (30, 60, 120, 250, 500, 1200)
NOISES_DEG = (0.05, 0.2, 0.4)
PARAMETERS = (FilterParameters(), FilterParameters(algorithm="dispersion"))
_LOOP_US = 61_000_000


def tiled(rate_hz: float, noise_deg: float, samples: int) -> Recording:
    """Return one simulated minute, repeated until there are as many samples as asked for."""
    r = simulate(rate_hz, noise_deg, seconds=60)
    times = -(-samples // len(r.t_us))
    t_us = np.concatenate([r.t_us + k * _LOOP_US for k in range(times)])[:samples]
    x, y = (np.tile(a, times)[:samples] for a in (r.x_deg, r.y_deg))
    return Recording(t_us, x, y, r.truth)


def offline_rate(r: Recording, parameters: FilterParameters, repeats: int = 3) -> float:
    """Return samples per second of one core, the best of some runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        detect_fixations(r.t_us, r.x_deg, r.y_deg, parameters)
        seconds.append(time.process_time() - start)
    return len(r.t_us) / min(seconds)


def online_cost(r: Recording, parameters: FilterParameters, size: int) -> float:
    """Return microseconds of one core per call with `size` samples."""
    online = OnlineFixationFilter(parameters)
    calls = min(2_000, len(r.t_us) // size)
    start = time.process_time()
    for k in range(calls):
        part = slice(k * size, (k + 1) * size)
        online.push(r.t_us[part], r.x_deg[part], r.y_deg[part])
    return (time.process_time() - start) / calls * 1e6


def accuracy(rate_hz: float, noise_deg: float, parameters: FilterParameters, seeds: int) -> float:
    """Return the mean F1 (intersection over union above 0.5) over simulated recordings."""
    scores = []
    for seed in range(1000, 1000 + seeds):
        r = simulate(rate_hz, noise_deg, seconds=40, seed=seed)
        found = detect_fixations(r.t_us, r.x_deg, r.y_deg, parameters)
        scores.append(event_f1(r.truth, [(f.start_us, f.end_us) for f in found]))
    return float(np.mean(scores))


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=1_000_000)
    options.add_argument("--seeds", type=int, default=4)
    chosen = options.parse_args()
    console = Console()
    console.print(f"{platform.processor() or platform.machine()}, numba {numba.__version__}")
    speed = Table("rate", "noise", "algorithm", "offline, M samples/s", "push of 10, µs")
    for rate_hz, noise_deg in ((60, 0.2), (500, 0.05), (1200, 0.05), (1200, 0.4)):
        r = tiled(rate_hz, noise_deg, chosen.samples)
        for p in PARAMETERS:
            offline_rate(tiled(rate_hz, noise_deg, 2_000), p, 1)
            cells = f"{offline_rate(r, p) / 1e6:.1f}", f"{online_cost(r, p, 10):.0f}"
            speed.add_row(f"{rate_hz} Hz", f"{noise_deg}°", p.algorithm, *cells)
    console.print(speed)
    for p in PARAMETERS:
        table = Table(f"F1, {p.algorithm}", *(f"{rate} Hz" for rate in RATES_HZ))
        for noise_deg in NOISES_DEG:
            row = (f"{accuracy(rate, noise_deg, p, chosen.seeds):.3f}" for rate in RATES_HZ)
            table.add_row(f"{noise_deg}°", *row)
        console.print(table)


if __name__ == "__main__":
    main()
