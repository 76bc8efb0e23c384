"""Simulated gaze with known fixations, for tests and benches of the filters."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LOSS_THAT_SPLITS_US = 75_000


@dataclass(frozen=True)
class Recording:
    """Samples and the truth behind them: `truth` is (start_us, end_us) of each fixation."""

    t_us: NDArray[np.int64]
    x_deg: FloatArray
    y_deg: FloatArray
    truth: list[tuple[float, float]]


def simulate(
    rate_hz: float,
    noise_deg: float,
    *,
    seconds: float = 30.0,
    seed: int = 0,
    blink_every_s: float = 4.0,
    short_loss_every_s: float = 2.0,
    jitter: float = 0.05,
    oscillation: float = 0.05,
) -> Recording:
    """Return main-sequence saccades between drifting fixations, with noise, blinks and losses.

    Saccades have a minimum-jerk profile, last 2.2 ms/deg + 21 ms (Carpenter 1988) and ring after
    landing (`oscillation` of their size, 50 Hz, gone in some 20 ms); `noise_deg` is the standard
    deviation per axis of white noise.
    """
    rng = np.random.default_rng(seed)
    count = int(seconds * rate_hz)
    steps = 1e6 / rate_hz * (1 + jitter * rng.uniform(-1, 1, count))
    t_us = np.cumsum(steps).astype(np.int64)
    place, truth = _scan_path(t_us / 1e6, seconds, oscillation, rng)
    place += np.cumsum(rng.normal(0, 0.12 * math.sqrt(1 / rate_hz), place.shape), axis=0) * 0.5
    place += rng.normal(0, noise_deg, place.shape)
    truth = _blinks(t_us, place, truth, blink_every_s, rng)
    _short_losses(t_us, place, short_loss_every_s, rng)
    return Recording(t_us, place[:, 0], place[:, 1], truth)


def _scan_path(
    t: FloatArray, seconds: float, oscillation: float, rng: np.random.Generator
) -> tuple[FloatArray, list[tuple[float, float]]]:
    place = np.zeros((len(t), 2))
    here, now, truth = np.zeros(2), 0.0, []
    while now < seconds:
        rest = float(np.clip(rng.lognormal(math.log(0.26), 0.4), 0.09, 1.2))
        truth.append((now * 1e6, (now + rest) * 1e6))
        now += rest
        size = float(np.clip(rng.gamma(1.6, 2.5), 0.7, 20.0))
        angle = rng.uniform(0, 2 * math.pi)
        step = size * np.array([math.cos(angle), math.sin(angle)])
        if np.abs(here + step).max() > 14:
            step = -step
        duration = 0.0022 * size + 0.021
        phase = np.clip((t - now) / duration, 0, 1)
        place += step * (10 * phase**3 - 15 * phase**4 + 6 * phase**5)[:, None]
        now += duration
        after = t - now
        ring = np.zeros_like(after)
        landed = (after >= 0) & (after < 0.1)
        ring[landed] = np.sin(2 * math.pi * 50 * after[landed]) * np.exp(-after[landed] / 0.008)
        place += oscillation * step * ring[:, None]
        here = here + step
    return place, truth


def _blinks(
    t_us: NDArray[np.int64],
    place: FloatArray,
    truth: list[tuple[float, float]],
    every_s: float,
    rng: np.random.Generator,
) -> list[tuple[float, float]]:
    """Lose 100 to 250 ms at a time, with the lid pulling gaze down on both sides of it."""
    if not every_s:
        return truth
    now = rng.exponential(every_s) * 1e6
    while now < t_us[-1]:
        end = now + rng.uniform(100_000, 250_000)
        pull = np.clip(1 - (now - t_us) / 30_000, 0, 1) * (t_us <= now)
        pull += np.clip(1 - (t_us - end) / 30_000, 0, 1) * (t_us >= end)
        place[:, 1] += 4 * pull**2
        place[(t_us > now) & (t_us < end)] = np.nan
        truth = [part for whole in truth for part in _without(whole, now - 20_000, end + 20_000)]
        now = end + rng.exponential(every_s) * 1e6 + 300_000
    return truth


def _without(whole: tuple[float, float], start: float, end: float) -> list[tuple[float, float]]:
    parts = [(whole[0], min(whole[1], start)), (max(whole[0], end), whole[1])]
    return [(a, b) for a, b in parts if b - a >= 60_000]


def _short_losses(
    t_us: NDArray[np.int64], place: FloatArray, every_s: float, rng: np.random.Generator
) -> None:
    if not every_s:
        return
    now = rng.exponential(every_s) * 1e6
    while now < t_us[-1]:
        end = now + rng.uniform(5_000, 45_000)
        place[(t_us > now) & (t_us < end)] = np.nan
        now = end + rng.exponential(every_s) * 1e6


def event_f1(truth: list[tuple[float, float]], found: list[tuple[float, float]]) -> float:
    """Return F1 of events matched one to one at an intersection over union above 0.5."""
    hits, j = 0, 0
    for start, end in truth:
        while j < len(found) and found[j][1] < start:
            j += 1
        for other_start, other_end in found[j:]:
            if other_start > end:
                break
            shared = min(end, other_end) - max(start, other_start)
            if shared > 0.5 * (max(end, other_end) - min(start, other_start)):
                hits += 1
                break
    return 2 * hits / (len(truth) + len(found)) if truth or found else 1.0
