"""What people's eyes do in figures, each with its source, and how one reader differs from another.

"Lund2013" stands for the recordings of people who look at pictures that two human coders labelled
(Larsson, Nystrom and Stridh 2013; Andersson et al. 2017, Behavior Research Methods 49:616),
counted here over all 14 recordings and both coders; `bench/human_coders.py` counts them again.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

MEDIAN_FIXATION_US, FIXATION_SPREAD = 220_000.0, 0.62
"""Lund2013: median, and SD of the logarithm (coder MN .63, RA .60; .69 and .66 come out where two
recordings at 200 Hz are taken for such at 500). Quantiles of 5 and 95 %: 0.095 and 0.51 s, which no
log-normal of this SD has: brief fixations are a kind of their own."""
BRIEF_SHARE = 0.08
"""Of brief fixations; the pauses before a correction are brief too."""
BRIEF_SHIFT, BRIEF_SD = -1.6, 1.0
USUAL_SHIFT, USUAL_SD = 0.25, 0.75
"""Mean and SD of the logarithms of brief and of usual fixations, in SDs of the whole: chosen so
that those made have the quantiles of Lund2013."""
SHORTEST_FIXATION_US, LONGEST_FIXATION_US = 30_000, 1_500_000

STEP_SHAPE, STEP_SCALE_DEG = 1.7, 6.8
"""Gamma of the distances asked for, so that those made (the picture's edge forbids the longest)
have a median near 4.7° with 17 % below 1.5° (Lund2013)."""
SHORTEST_STEP_DEG = 0.3
"""Lund2013: 4 % below 0.5°; shorter ones count as movements within a fixation (Rolfs 2009)."""

RETURN_SHARE = 0.13
"""Of saccades that go back to a place of the last fixations: they are more frequent than the
statistics of single saccades explain (Wilming et al. 2013, PLoS Comput Biol 9:e1002871). With
those made by chance, 22 % of fixations lie within 1° of an earlier one than the last, as in
Lund2013."""

GAIN, GAIN_SD = 0.92, 0.06
"""A saccade of some degrees reaches 90 to 95 % of its way (Becker and Fuchs 1969, Vision Research
9:1247; Henson 1978, Vision Research 18:63)."""
CORRECTED_FROM_DEG, CORRECTED_SHARE = 0.5, 0.3
"""What is left is sometimes corrected by a second saccade; a share of our own choice that leaves
small saccades as frequent as in Lund2013. Uncorrected, the eye takes its landing for the aim."""
CORRECTION_US, CORRECTION_SD_US = 130_000, 30_000
"""After some 130 ms (Becker and Fuchs 1969)."""

NARROWEST, WIDEST = 0.2, 0.5
"""Half-width of a reader's search, as a share of the picture: 13 radiologists came near 55 to 91 %
of the nodules of the same scans (Rubin et al. 2015, Radiology 274:276); with these widths 30 s of
reading bring 60 to 87 % of a picture within 2.5° of a fixation."""
ECCENTRICITY = 0.08

MISS_RATE = 0.30
"""Of findings on films (Berlin 2014, Diagnosis 1:79)."""
NOT_SEARCHED, NOT_RECOGNISED = 0.30, 0.25
"""Of missed nodules: never looked at; looked at for less than a second. The rest drew the eye as
those reported did (Kundel, Nodine and Carmody 1978, Investigative Radiology 13:175)."""

Notice = Literal["dwelt on", "glanced at", "never searched"]


@dataclass(frozen=True, slots=True)
class Habits:
    """What makes one reader differ a little from another.

    Attributes
    ----------
    tempo
        Factor on fixation durations.
    thoroughness
        Factor on the time of the first search.
    focus
        Added to the share of fixations on targets.
    median_us, spread
        Median, and SD of the logarithm, of fixation durations.
    miss_rate
        Share of targets that are missed.
    width
        Half-width of the part of a picture that is searched, as a share of the picture.
    centre
        (right, down) of that part, from the picture's middle, in the same unit.
    """

    tempo: float = 1.0
    thoroughness: float = 1.0
    focus: float = 0.0
    median_us: float = MEDIAN_FIXATION_US
    spread: float = FIXATION_SPREAD
    miss_rate: float = MISS_RATE
    width: float = (NARROWEST + WIDEST) / 2
    centre: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of_reader(
        cls, rng: np.random.Generator, median_us: float, spread: float, miss_rate: float
    ) -> "Habits":
        """Draw the habits of one reader."""
        tempo, thoroughness = np.exp(rng.normal(0.0, (0.06, 0.12))).tolist()
        focus = float(rng.normal(0.0, 0.03))
        width = float(rng.uniform(NARROWEST, WIDEST))
        x, y = rng.normal(0.0, ECCENTRICITY, 2).tolist()
        return cls(tempo, thoroughness, focus, median_us, spread, miss_rate, width, (x, y))

    def duration_us(self, rng: np.random.Generator, factor: float = 1.0) -> int:
        """Draw a fixation's duration: mostly usual, sometimes brief."""
        is_brief, unit = rng.random() < BRIEF_SHARE, rng.normal()
        shift, sd = (BRIEF_SHIFT, BRIEF_SD) if is_brief else (USUAL_SHIFT, USUAL_SD)
        drawn = self.median_us * self.tempo * factor * math.exp(self.spread * (shift + sd * unit))
        return int(min(max(drawn, SHORTEST_FIXATION_US), LONGEST_FIXATION_US))

    def notice(self, rng: np.random.Generator) -> Notice:
        """Draw what becomes of a target in one reading."""
        is_missed, kind = rng.random() < self.miss_rate, rng.random()
        if not is_missed or kind > NOT_SEARCHED + NOT_RECOGNISED:
            return "dwelt on"
        return "never searched" if kind < NOT_SEARCHED else "glanced at"
