"""Simulated readers before the phantoms: the class is carried by where and how long they look.

Normal: a wide search. Mass: concentrated on it. Spiculated: concentrated, with excursions outwards
along the spicules. Eye and tracker are those of `devices.simulated`, on a clock of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.study.phantoms import SIDE, Phantom
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.gaze.view import Affine
from devices.simulated import SimulatedParameters, SimulatedTracker, Stimulus, Target
from trainer.similarity.base import Gaze

SCREEN = ScreenGeometry(1920, 1080, 527.0, 296.0, 650.0)
STYLES = {"normal": "search", "mass": "concentrated", "spiculated": "radial"}
_SCALE = SCREEN.height_screen / SIDE
_LEFT = (SCREEN.width_screen - SCREEN.height_screen) / 2
TO_NORM = Affine(
    a=_SCALE / SCREEN.width_screen,
    d=_SCALE / SCREEN.height_screen,
    tx=_LEFT / SCREEN.width_screen,
)


@dataclass(frozen=True, slots=True)
class Tracker:
    """How readers are recorded: constant error in degrees, share of time lost, seconds a case."""

    accuracy_deg: float = 0.5
    loss: float = 0.02
    seconds: tuple[float, float] = (8.0, 14.0)


def read_all(
    phantoms: Sequence[Phantom], readers: int, tracker: Tracker, seed: int
) -> list[list[Gaze]]:
    """Return the readings of each phantom: one by each reader, shape (phantoms, readers)."""
    by_reader = [_one_reader(phantoms, tracker, seed, reader) for reader in range(readers)]
    return [list(own) for own in zip(*by_reader, strict=True)]


def permuted(readings: list[list[Gaze]], g: float, rng: np.random.Generator) -> list[list[Gaze]]:
    """Return readings of which a share 1 − g changed places over all cases, whatever their class.

    Each reader's readings change places among themselves.
    """
    mixed = [list(own) for own in readings]
    count = len(readings)
    for reader in range(len(readings[0])):
        chosen = rng.permutation(count)[: round((1 - g) * count)]
        for place, source in zip(chosen, rng.permutation(chosen), strict=True):
            mixed[place][reader] = readings[source][reader]
    return mixed


def _one_reader(
    phantoms: Sequence[Phantom], tracker: Tracker, seed: int, reader: int
) -> list[Gaze]:
    rng = np.random.default_rng([seed, reader, 7])
    angle = rng.uniform(0, 2 * np.pi)  # the direction of the error stays with the reader
    bias = float(tracker.accuracy_deg * np.cos(angle)), float(tracker.accuracy_deg * np.sin(angle))
    parameters = SimulatedParameters(
        rate_hz=60.0, bias_deg=bias, loss=tracker.loss, gain_error=0.0, offset_error_deg=0.0,
        drift_deg_per_min=0.0, miss_rate=0.0,
    )  # fmt: skip
    now = [0]
    device = SimulatedTracker(SCREEN, parameters, seed=int(rng.integers(2**31)))
    device.connect(HostClock(counter_ns=lambda: now[0]))
    gazes = []
    for phantom in phantoms:
        device.attend(_stimulus(phantom, rng))
        now[0] += 400_000_000  # the reaction to a new picture is no part of its reading
        device.read()
        now[0] += int(rng.uniform(*tracker.seconds) * 1e9)
        gazes.append(_gaze(device))
    return gazes


def _stimulus(phantom: Phantom, rng: np.random.Generator) -> Stimulus:
    """Return what draws the eye: the lesion, and two places of no importance in any picture."""
    places = [Target(*map(float, rng.uniform(8, SIDE - 8, 2)), 4.0, 0.15) for _ in range(2)]
    if phantom.lesion is not None:
        places.insert(0, Target(*phantom.lesion, 1.0))
        return Stimulus(tuple(places), (0, 0, SIDE, SIDE), TO_NORM, STYLES[phantom.label])
    return Stimulus((), (0, 0, SIDE, SIDE), TO_NORM, "search")


def _gaze(device: SimulatedTracker) -> Gaze:
    samples = device.read()
    points = TO_NORM.inverse().map(gaze_norm(samples, "both"))
    return Gaze(points, float(SIDE), float(SIDE), samples["host_us"] - samples["host_us"][0])
