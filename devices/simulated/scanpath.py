"""The movements of a simulated eye: saccades and fixations, planned one at a time.

What is planned depends on the seed and on the instants of the commands alone, never on how often
it is looked at: each movement is drawn when the one before it ends, and a command first lets all
movements end that end before it.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.simulated.attention import Attention
from devices.simulated.scene import Aim

SACCADE_BASE_US, SACCADE_US_PER_DEG = 21_000, 2_200
"""Main sequence (Carpenter 1988): duration = 2.2 ms/° + 21 ms."""
DRIFT_TIME_US = 150_000.0
REACTION_US = (150_000, 220_000, 350_000)


@dataclass(frozen=True, slots=True)
class TrueFixation:
    """Where the simulated eye truly rested, from landing to take-off, on the host clock.

    Attributes
    ----------
    target
        Index into the stimulus's targets, None for none of them.
    """

    start_us: int
    end_us: int
    x_norm: float
    y_norm: float
    target: int | None = None


@dataclass(slots=True)
class Movement:
    """A saccade and the fixation after it; only `end_us` may still change."""

    start_us: int
    land_us: int
    end_us: int
    from_norm: tuple[float, float]
    to_norm: tuple[float, float]
    drift_norm: tuple[float, float]
    target: int | None
    correction: bool

    def rest_norm(self, time_us: float) -> tuple[float, float]:
        """Return where the eye has drifted to by a time of the fixation."""
        share = 1.0 - float(np.exp(-max(time_us - self.land_us, 0.0) / DRIFT_TIME_US))
        return (
            self.to_norm[0] + self.drift_norm[0] * share,
            self.to_norm[1] + self.drift_norm[1] * share,
        )


class ScanPath:
    """Movements of one eye pair from `start_us` on.

    Parameters
    ----------
    geometry
        Of the screen looked at; gives saccades their amplitude in degrees.
    rng
        Drawn from once per movement and once per command.
    start_us
        Host clock.
    attention
        What the reader is about at the start.
    drift_deg
        SD of the slow drift within a fixation.
    """

    def __init__(
        self,
        geometry: ScreenGeometry,
        rng: np.random.Generator,
        start_us: int,
        attention: Attention,
        drift_deg: float,
    ) -> None:
        self._geometry, self._rng, self._attention = geometry, rng, attention
        self._drift_norm = geometry.deg_to_norm([drift_deg, drift_deg]) - 0.5
        first = attention.next(rng, (0.5, 0.5), start_us)
        here = (first.x_norm, first.y_norm)
        end_us = start_us + first.duration_us
        self._movements = [
            Movement(start_us, start_us, end_us, here, here, (0.0, 0.0), first.target, False)
        ]
        self._starts_us = [start_us]

    @property
    def planned_to_us(self) -> int:
        """When the movement planned last ends."""
        return self._movements[-1].end_us

    def advance(self, until_us: int) -> None:
        """Plan movements until one outlasts `until_us`."""
        while self._movements[-1].end_us <= until_us:
            self._plan()

    def turn_to(self, attention: Attention, now_us: int) -> None:
        """Let the reader attend to something else after a reaction time."""
        self.advance(now_us)
        self._attention = attention
        shortest, usual, longest = REACTION_US
        reaction_us = int(np.clip(self._rng.normal(usual, 30_000), shortest, longest))
        current = self._movements[-1]
        current.end_us = max(now_us, current.land_us) + reaction_us

    def gaze_norm(self, time_us: NDArray[np.int64]) -> FloatArray:
        """Return the true point of gaze (N, 2) at ascending times already planned.

        Before the start the eye rests where it begins.
        """
        if len(time_us) == 0:
            return np.empty((0, 2))
        first = max(bisect_right(self._starts_us, int(time_us[0])) - 1, 0)
        last = max(bisect_right(self._starts_us, int(time_us[-1])), first + 1)
        chosen = self._movements[first:last]
        table = np.array(
            [(m.start_us, m.land_us, *m.from_norm, *m.to_norm, *m.drift_norm) for m in chosen]
        )
        row = np.searchsorted(table[:, 0], time_us, side="right") - 1
        start, land, x0, y0, x1, y1, drift_x, drift_y = table[np.maximum(row, 0)].T
        jerk = _minimum_jerk((time_us - start) / np.maximum(land - start, 1.0))
        drift = 1.0 - np.exp(-np.maximum(time_us - land, 0.0) / DRIFT_TIME_US)
        x = x0 + (x1 - x0) * jerk + drift_x * drift
        y = y0 + (y1 - y0) * jerk + drift_y * drift
        return np.column_stack((x, y))

    def fixations(self, until_us: int) -> list[TrueFixation]:
        """Return the fixations so far, the last cut at `until_us`; small corrections joined."""
        found: list[TrueFixation] = []
        for m in self._movements:
            if m.land_us >= until_us:
                break
            end_us = min(m.end_us, until_us)
            if m.correction and found:
                last = found[-1]
                place = (last.x_norm, last.y_norm, last.target)
                found[-1] = TrueFixation(last.start_us, end_us, *place)
            else:
                found.append(TrueFixation(m.land_us, end_us, *m.to_norm, m.target))
        return found

    def _plan(self) -> None:
        """Append the next saccade and its fixation."""
        last = self._movements[-1]
        here = last.rest_norm(last.end_us)
        aim = self._attention.next(self._rng, here, last.end_us)
        there = (aim.x_norm, aim.y_norm)
        amplitude_deg = float(self._geometry.angle_deg(here, there))
        land_us = last.end_us + SACCADE_BASE_US + round(SACCADE_US_PER_DEG * amplitude_deg)
        self._movements.append(self._movement(last.end_us, land_us, here, aim))
        self._starts_us.append(last.end_us)

    def _movement(
        self, start_us: int, land_us: int, here: tuple[float, float], aim: Aim
    ) -> Movement:
        x, y = (self._rng.normal(size=2) * self._drift_norm).tolist()
        end_us = land_us + aim.duration_us
        there = (aim.x_norm, aim.y_norm)
        return Movement(start_us, land_us, end_us, here, there, (x, y), aim.target, aim.correction)


def _minimum_jerk(share: FloatArray) -> FloatArray:
    """Return the share of the way done after a share of the time (Flash and Hogan 1985)."""
    t = np.clip(share, 0.0, 1.0)
    done: FloatArray = t * t * t * (10.0 + t * (6.0 * t - 15.0))
    return done
