"""Gaze similarity: end to end and pairwise, against the released way, and how it grows.

python -m bench.similarity measures [--readings 5000] [--measures tima …]
    Features, end to end and pairwise of each measure, and in the same run the released way on some
    pairs: its heat maps read from JPEG for every pair, moments by Python loops. One table.
python -m bench.similarity growth [--sizes 10000 30000 100000] [--measures moment tima density]
    The above-threshold graph of many readings: time, memory, pairs kept. Each size in a process of
    its own, so that its peak memory is its own.
python -m bench.similarity parts --measures moment --sizes 200000 --points 20
    Eight parts of a graph, merged, beside one run: equal bit for bit? Time and peak memory.
python -m bench.similarity nearest --measures dwell --sizes 20000 --points 100
    The 50 nearest of each by the approximate search beside the exact one: recall and time.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from trainer.similarity.base import FeatureTable, Gaze
from trainer.similarity.comparison import Comparison, ComparisonControl, prepare
from trainer.similarity.dense import dense
from trainer.similarity.features import feature_table
from trainer.similarity.pair_search import Part
from trainer.similarity.parts import features_hash, merge, write_part
from trainer.similarity.registry import MEASURES, make_parameters
from trainer.similarity.sources import GazeList
from trainer.similarity.task_runner import TaskRunner

NEAREST = 50
PART_THRESHOLDS = {"moment": 0.995, "dhash": 0.85}
THRESHOLDS = {"moment": 0.98, "tima": 0.95, "density": 0.7, "dhash": 0.9, "moment_sequence": 0.9}


def reading(rng: np.random.Generator, points: int) -> Gaze:
    """Return a made reading on 800 × 800: 6 to 15 places, unequal stays, noise of 8 px."""
    places = rng.uniform(80, 720, (rng.integers(6, 16), 2))
    stays = rng.dirichlet(np.full(len(places), 2.0))
    at = np.repeat(np.arange(len(places)), rng.multinomial(points, stays))
    return Gaze(np.floor(places[at] + rng.normal(0, 8, (points, 2))), 800, 800)


def seconds(task: Callable[[], Any], repeats: int = 1) -> float:
    """Return the least time of some repeats."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def machine() -> str:
    """Return what was measured on."""
    names = ("numpy", "scipy", "numba", "opencv-python-headless", "multimatch-gaze")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{platform.machine()}, Python {platform.python_version()}, {versions}"


def bench_measures(options: argparse.Namespace) -> None:
    """Print the table of measures."""
    from bench.released_similarity import RELEASED, loop_moments, small_map, store

    rng = np.random.default_rng(0)
    gazes = [reading(rng, options.points) for _ in range(options.readings)]
    pairs = options.readings * (options.readings - 1) / 2
    print(
        f"{options.readings} readings of {options.points} points, {options.jobs} jobs; {machine()}"
    )
    print(
        "| measure | features, 1 job | features, s (CPU) | pairwise, s (CPU) | end to end, s (CPU) "
        "| released, a pair | ours, a pair | ratio | ratio to moment loops alone |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(k) for k in range(options.stored)]
        for folder, gaze in zip(folders, gazes, strict=False):
            store(folder, gaze)
        for measure in options.measures:
            began = time.process_time()
            features, found = _features(measure, gazes, options.jobs)
            made = time.process_time()
            one_job = seconds(lambda m=measure: _features(m, gazes[:100], 1)) / 100
            one_made = time.process_time()
            pairwise = seconds(lambda m=measure, t=found: _pairwise(m, t, options.jobs))
            ours = (features + pairwise) / pairs
            cpu = made - began, time.process_time() - one_made
            line = f"| {measure} | {one_job * 1e3:.2f} ms | {features:.1f} ({cpu[0]:.1f}) | "
            line += f"{pairwise:.2f} ({cpu[1]:.1f}) | {features + pairwise:.1f} ({sum(cpu):.1f}) | "
            if measure not in RELEASED:
                print(line + f"- | {ours * 1e6:.2f} µs | - | - |", flush=True)
                continue
            there = _released(RELEASED[measure], folders, options.seconds)
            line += f"{there * 1e3:.2f} ms | {ours * 1e6:.2f} µs | {there / ours:,.0f} × | "
            loops = _loops(folders, loop_moments, small_map) if measure == "tima" else None
            print(line + (f"{loops / ours:,.0f} × ({loops * 1e3:.2f} ms) |" if loops else "- |"),
                  flush=True)  # fmt: skip


def _features(measure: str, gazes: list[Gaze], jobs: int) -> tuple[float, FeatureTable]:
    chosen, parameters = MEASURES[measure], make_parameters(measure)
    feature_table(chosen, gazes[:4], parameters, TaskRunner(1))  # compiled
    start = time.perf_counter()
    table = feature_table(chosen, gazes, parameters, TaskRunner(jobs))
    return time.perf_counter() - start, table


def _pairwise(measure: str, table: FeatureTable, jobs: int) -> None:
    parameters = make_parameters(measure)
    dense(MEASURES[measure], table, parameters, TaskRunner(jobs), by_dimension=False)


def _released(compare: Callable[[Path, Path], float], folders: list[Path], limit_s: float) -> float:
    """Return seconds a pair of the released way, over as many pairs as fit into some seconds."""
    start, done = time.perf_counter(), 0
    for i, a in enumerate(folders):
        for b in folders[i + 1 :]:
            try:
                compare(a, b)
            except ValueError:  # multimatch_gaze: acos of a hair above 1
                continue
            done += 1
            if time.perf_counter() - start > limit_s:
                return (time.perf_counter() - start) / done
    return (time.perf_counter() - start) / done


def _loops(folders: list[Path], loops: Callable[..., Any], load: Callable[..., Any]) -> float:
    """Return seconds a pair that the moment loops alone take, heat maps in memory."""
    grids = [[load(path) for path in sorted(f.glob("cluster_*.jpg"))] for f in folders[:6]]
    total = seconds(lambda: [loops(grid) for one in grids for grid in one])
    return 2 * total / len(grids)


def bench_growth(options: argparse.Namespace) -> None:
    """Print the table of growth; each cell in a process of its own."""
    print(f"Graph above a threshold, {options.jobs} jobs; {machine()}")
    print("| measure | readings | features, s | pairs, s | M pairs/s | peak memory | pairs kept |")
    print("|---|---|---|---|---|---|---|")
    for measure in options.measures:
        for size in options.sizes:
            command = [sys.executable, "-m", "bench.similarity", "one", "--measures", measure,
                       "--sizes", str(size), "--jobs", str(options.jobs),
                       "--points", str(options.points)]  # fmt: skip
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = json.loads(out)
            print(f"| {measure} > {THRESHOLDS[measure]} | {size:,} | {found['features']:.0f} | "
                  f"{found['pairs']:.0f} | {size * (size - 1) / 2 / found['pairs'] / 1e6:.1f} | "
                  f"{found['memory']:.2f} GB | {found['kept']:,} ({found['rate']:.3%}) |",
                  flush=True)  # fmt: skip


def bench_one(options: argparse.Namespace) -> None:
    """Print one cell of the growth table as JSON: gaze, features and graph, all in memory."""
    measure, size = options.measures[0], options.sizes[0]
    rng = np.random.default_rng(0)
    gazes = [reading(rng, options.points) for _ in range(size)]
    ids = tuple(str(k) for k in range(size))
    _features(measure, gazes, 1) if size < 10 else _features(measure, gazes[:8], 1)
    comparison = prepare(
        measure, GazeList(ids, gazes, np.arange(size)), {}, ComparisonControl(options.jobs)
    )
    start = time.perf_counter()
    graph = comparison.above(THRESHOLDS[measure])
    took = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    found = {"features": comparison.seconds, "pairs": took, "memory": memory,
             "kept": graph.positive_pairs, "rate": graph.positive_rate}  # fmt: skip
    print(json.dumps(found))


def _made(options: argparse.Namespace, measure: str, size: int) -> Comparison:
    rng = np.random.default_rng(0)
    gazes = [reading(rng, options.points) for _ in range(size)]
    ids = tuple(str(k) for k in range(size))
    gaze = GazeList(ids, gazes, np.arange(size))
    return prepare(measure, gaze, {}, ComparisonControl(options.jobs))


def bench_parts(options: argparse.Namespace) -> None:
    """Print whether merged parts equal one run, and what they took."""
    measure, size, count = options.measures[0], options.sizes[0], 8
    comparison = _made(options, measure, size)
    threshold = PART_THRESHOLDS.get(measure, THRESHOLDS.get(measure, 0.95))
    hash_ = features_hash(comparison)
    facts = {"ids": list(comparison.gaze.ids), "measure": measure, "names": []}
    with tempfile.TemporaryDirectory() as name:
        paths, took = [Path(name) / f"{k + 1}.npz" for k in range(count)], []
        for k, path in enumerate(paths):
            part, start = Part(k + 1, count), time.perf_counter()
            write_part(path, part, comparison.part_above(threshold, part), facts, hash_)
            took.append(time.perf_counter() - start)
        merged = merge(paths).graph
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        start = time.perf_counter()
        whole = comparison.above(threshold)
        alone = time.perf_counter() - start
    same = all(
        np.array_equal(getattr(whole.matrix, a), getattr(merged.matrix, a))
        for a in ("data", "indices", "indptr")
    )
    print(
        f"{measure} > {threshold}, {size:,} readings of {options.points} points: features "
        f"{comparison.seconds:.0f} s; {count} parts {sum(took):.0f} s ({max(took):.0f} s the "
        f"longest), one run {alone:.0f} s; {merged.positive_pairs:,} pairs; equal bit for bit: "
        f"{same}; peak {memory:.2f} GB with the parts, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB in all"
    )


def bench_nearest(options: argparse.Namespace) -> None:
    """Print recall and time of the approximate search beside the exact one."""
    for measure in options.measures:
        if not MEASURES[measure].vectors:
            continue
        for size in options.sizes:
            comparison, start = _made(options, measure, size), time.perf_counter()
            nearly = comparison.nearly_nearest(NEAREST)
            took, start = time.perf_counter() - start, time.perf_counter()
            exact = comparison.nearest(NEAREST).matrix
            alone = time.perf_counter() - start
            least = np.array([row.min() for row in np.split(exact.data, exact.indptr[1:-1])])
            recall = (nearly.found.best >= least[:, None] - 1e-6).mean()
            print(
                f"{measure}, {size:,} readings of {options.points} points: recall@{NEAREST} "
                f"{recall:.4f} ({nearly.recall:.4f} told), {nearly.looked_at:.1%} of the cells, "
                f"{took:.1f} s; exact {alone:.1f} s; features {comparison.seconds:.0f} s",
                flush=True,
            )


def main() -> None:
    """Run one of the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("measures", "growth", "one", "parts", "nearest"))
    parser.add_argument("--readings", type=int, default=5000)
    parser.add_argument("--points", type=int, default=800)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--stored", type=int, default=24, help="readings for the released way")
    parser.add_argument("--seconds", type=float, default=5.0, help="of the released way, a measure")
    parser.add_argument("--measures", nargs="+", default=list(MEASURES), choices=list(MEASURES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 30_000, 100_000])
    options = parser.parse_args()
    parts = {"measures": bench_measures, "growth": bench_growth, "one": bench_one}
    parts |= {"parts": bench_parts, "nearest": bench_nearest}
    parts[options.part](options)


if __name__ == "__main__":
    main()
