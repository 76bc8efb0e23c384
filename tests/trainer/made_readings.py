"""Readings that hypothesis makes: stays of different lengths, some off the canvas, some none."""

import numpy as np
from hypothesis import strategies as st

from trainer.similarity.base import Gaze


@st.composite
def readings(draw, places=5, longest=12):
    points = []
    for _ in range(draw(st.integers(0, places))):
        x, y = draw(st.integers(-40, 840)), draw(st.integers(-40, 840))
        spread = st.integers(-30, 30)
        for dx, dy in draw(st.lists(st.tuples(spread, spread), min_size=1, max_size=longest)):
            points.append((x + dx, y + dy))
    return points


def gaze(points, width=800, height=800, **fields) -> Gaze:
    return Gaze(np.array(points, np.float64).reshape(-1, 2), width, height, **fields)
