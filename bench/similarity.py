"""Gaze similarity, timed: features a reading, pairs a second, each measure on the same readings.

python bench/similarity.py [--readings 200] [--measures tima …]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from trainer.similarity.base import FeatureTable, Gaze
from trainer.similarity.dense import dense
from trainer.similarity.registry import MEASURES, compare, make_parameters
from trainer.similarity.work import Work


def reading(rng: np.random.Generator, points: int) -> Gaze:
    """Return a made reading on 800 × 800: 6 to 15 places, unequal stays, noise of 8 px."""
    places = rng.uniform(80, 720, (rng.integers(6, 16), 2))
    stays = rng.dirichlet(np.full(len(places), 2.0))
    at = np.repeat(np.arange(len(places)), rng.multinomial(points, stays))
    return Gaze(places[at] + rng.normal(0, 8, (points, 2)), 800, 800)


def seconds(task: Callable[[], Any], repeats: int = 3) -> float:
    """Return the least time of some repeats."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print one line a measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=200)
    parser.add_argument("--points", type=int, default=800)
    parser.add_argument("--pairs", type=int, default=2000, help="readings of the pairwise step")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--measures", nargs="+", default=list(MEASURES), choices=list(MEASURES))
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    gazes = [reading(rng, options.points) for _ in range(options.readings)]
    print(f"{options.readings} readings of {options.points} points, {options.jobs} jobs")
    print(f"{'measure':18s}{'ms/reading, 1 job':>18s}{'end to end s':>14s}{'M pairs/s':>12s}")
    for name in options.measures:
        measure = MEASURES[name]
        parameters = make_parameters(name)
        compare(name, gazes[:8], jobs=1)  # compiled
        found = [measure.features(g, parameters) for g in gazes]
        one = seconds(lambda m=measure, p=parameters: [m.features(g, p) for g in gazes], 2)
        whole = seconds(lambda n=name: compare(n, gazes, jobs=options.jobs), 2)
        many = FeatureTable.of([found[k % len(found)] for k in range(options.pairs)])
        work = Work(options.jobs)
        pair = seconds(
            lambda m=measure, p=parameters, f=many, w=work: dense(m, f, p, w, by_dimension=False)
        )
        rate = options.pairs * (options.pairs - 1) / 2 / pair / 1e6
        print(f"{name:18s}{one / len(gazes) * 1e3:18.2f}{whole:14.2f}{rate:12.2f}")


if __name__ == "__main__":
    main()
