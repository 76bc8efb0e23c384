"""Compiles the kernels that many tests need and keeps them beside the sources, as any use does.

python -m tests.compile_kernels

In a fresh checkout that takes as long as a hundred tests; it is done once, while the workers of
pytest collect, instead of once in each of them.
"""

import numpy as np

from devices.gaze.fixations import FilterParameters, detect_fixations
from trainer.similarity.base import Gaze
from trainer.similarity.registry import compare, untaught


def main() -> None:
    """Use each kernel once."""
    x_deg = np.repeat([0.0, 5.0, 9.0, 2.0], 250)
    time_us = np.arange(len(x_deg)) * 4000
    for algorithm in ("velocity", "dispersion"):
        detect_fixations(time_us, x_deg, x_deg, FilterParameters(algorithm=algorithm))
    drawn = np.random.default_rng(0)
    gazes = [Gaze(drawn.uniform(100, 700, (5, 2)).repeat(40, axis=0), 800, 800) for _ in range(3)]
    for measure in untaught():
        compare(measure, gazes, jobs=1)


if __name__ == "__main__":
    main()
