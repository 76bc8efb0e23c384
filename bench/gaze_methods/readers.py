"""Simulated readers who differ, miss lesions and leave images unread.

Four readers, each with habits, error and share of misses of their own; each image that is read at
all is read by two of them. Eyes are those of `devices.simulated`, after people's figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.gaze_methods.phantoms import SIDE, Phantom
from devices.clock import HostClock
from devices.gaze.fixations import FilterParameters, detect_fixations
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.gaze.view import Affine
from devices.simulated import SimulatedParameters, SimulatedTracker, Stimulus, Target
from trainer.similarity.base import Gaze

SCREEN = ScreenGeometry(1920, 1080, 527.0, 296.0, 650.0)
READERS, PER_IMAGE = 4, 2
MISSES = (0.05, 0.10, 0.20, 0.30)
"""Share of the lesions that each reader misses."""
ERROR_DEG = (0.4, 0.6, 0.8, 1.0)
LOSS = (0.02, 0.02, 0.05, 0.10)
SECONDS = (8.0, 14.0)
STYLES = {"normal": "search", "mass": "concentrated", "spiculated": "radial"}
_SCALE = SCREEN.height_screen / SIDE
_LEFT = (SCREEN.width_screen - SCREEN.height_screen) / 2
TO_NORM = Affine(
    a=_SCALE / SCREEN.width_screen,
    d=_SCALE / SCREEN.height_screen,
    tx=_LEFT / SCREEN.width_screen,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The gaze of one reader on one image, whose own it may no longer be (see `permuted`)."""

    image: int
    reader: int
    gaze: Gaze


def read_all(phantoms: Sequence[Phantom], seed: int) -> list[Reading]:
    """Return two readings of every image, sorted by image; none is left unread yet."""
    rng = np.random.default_rng([seed, 41])
    pairs = [sorted(rng.choice(READERS, PER_IMAGE, replace=False).tolist()) for _ in phantoms]
    readings = []
    for reader in range(READERS):
        own = [k for k, chosen in enumerate(pairs) if reader in chosen]
        gazes = _one_reader([phantoms[k] for k in own], seed, reader)
        readings += [Reading(k, reader, gaze) for k, gaze in zip(own, gazes, strict=True)]
    return sorted(readings, key=lambda r: (r.image, r.reader))


def permuted(readings: Sequence[Reading], g: float, seed: int) -> list[Reading]:
    """Return readings of which a share 1 − g changed places over all images, whatever their class.

    Each reader's readings change places among themselves.
    """
    mixed, rng = list(readings), np.random.default_rng([seed, 17])
    for reader in range(READERS):
        own = [k for k, r in enumerate(readings) if r.reader == reader]
        chosen = rng.permutation(own)[: round((1 - g) * len(own))]
        for place, source in zip(chosen, rng.permutation(chosen), strict=True):
            mixed[place] = replace(readings[place], gaze=readings[source].gaze)
    return mixed


def kept(count: int, share: float, seed: int) -> np.ndarray:
    """Return which images are read at all, (count,), bool.

    Of one seed a smaller share is part of a larger one.
    """
    order = np.random.default_rng([seed, 23]).permutation(count)
    return np.asarray(np.argsort(order) < round(share * count))


def _one_reader(phantoms: Sequence[Phantom], seed: int, reader: int) -> list[Gaze]:
    rng = np.random.default_rng([seed, reader, 7])
    angle = rng.uniform(0, 2 * np.pi)  # the direction of the error stays with the reader
    error = ERROR_DEG[reader]
    parameters = SimulatedParameters(
        rate_hz=60.0,
        bias_deg=(float(error * np.cos(angle)), float(error * np.sin(angle))),
        loss=LOSS[reader],
        miss_rate=MISSES[reader],
        gain_error=0.0,
        offset_error_deg=0.0,
        drift_deg_per_min=0.0,
    )
    now = [0]
    device = SimulatedTracker(SCREEN, parameters, seed=int(rng.integers(2**31)))
    device.connect(HostClock(counter_ns=lambda: now[0]))
    gazes = []
    for phantom in phantoms:
        device.attend(_stimulus(phantom))
        now[0] += 400_000_000  # the reaction to a new picture is no part of its reading
        device.read()
        now[0] += int(rng.uniform(*SECONDS) * 1e9)
        gazes.append(_gaze(device))
    return gazes


def _stimulus(phantom: Phantom) -> Stimulus:
    """Return what draws the eye: the lesion, and densities that mean nothing, in all images."""
    targets = [Target(x, y, radius, 0.15) for x, y, radius in phantom.harmless]
    if phantom.lesion is not None:
        targets.insert(0, Target(*phantom.lesion, 1.0))
    return Stimulus(tuple(targets), (0, 0, SIDE, SIDE), TO_NORM, STYLES[phantom.label])


def _gaze(device: SimulatedTracker) -> Gaze:
    """Return the samples of a reading and the fixations that the product's filter finds in them."""
    samples = device.read()
    norm = gaze_norm(samples, "both")
    time_us = samples["host_us"] - samples["host_us"][0]
    degrees = SCREEN.norm_to_deg(norm)
    found = detect_fixations(time_us, degrees[:, 0], degrees[:, 1], FilterParameters())
    back = TO_NORM.inverse()
    places = SCREEN.deg_to_norm(np.array([(f.x_deg, f.y_deg) for f in found]).reshape(-1, 2))
    return Gaze(
        back.map(norm),
        float(SIDE),
        float(SIDE),
        time_us,
        back.map(places),
        np.array([f.duration_us for f in found], np.int64),
    )
