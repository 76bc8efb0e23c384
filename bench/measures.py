"""What each measure carries on real eyes: the evidence table of docs/similarity.md.

python -m bench.measures osie_fixations.npz [--viewers 10 11 12 13 14] [--images report|choose|all]
                         [--labels FILE] [--measures tima …] [--readings 2400]
    The handed file holds fixations of 15 people on 700 photographs of 800 × 600 px. Each fixation
    becomes samples at 120 Hz with 5 px of noise. Measures are chosen on viewers 0 to 9 and images
    divisible by 3 (`choose`), and reported on viewers 10 to 14 and the others (`report`). The
    prototype (root of a dwell map, σ 0.05, less the cohort's mean, cosine) is
    --measures dwell --set sigma=0.05 --set whitening=0 --set prior=0
"""

import argparse
import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from migrations.study.evidence import HEADERS, CohortEvidence
from trainer.process.set_options import parse_settings
from trainer.similarity.base import Gaze
from trainer.similarity.comparison import ComparisonControl
from trainer.similarity.evidence.judge import Judging, PairRule, judge
from trainer.similarity.items import owners_of
from trainer.similarity.sources import GazeList

SIZE = 800.0, 600.0
RATE_HZ, NOISE_PX = 120, 5.0
CHOOSE, REPORT = tuple(range(10)), tuple(range(10, 15))


def samples(
    places: NDArray[np.float64], durations_ms: NDArray[np.int64], rng: np.random.Generator
) -> Gaze:
    """Return fixations (N, 2) as samples at 120 Hz with noise, and as fixations."""
    counts = np.maximum(np.rint(durations_ms * RATE_HZ / 1000).astype(int), 1)
    points = np.repeat(places, counts, axis=0)
    points = points + rng.normal(0, NOISE_PX, points.shape)
    time_us = np.arange(len(points), dtype=np.int64) * (1_000_000 // RATE_HZ)
    return Gaze(points, *SIZE, time_us, places, durations_ms.astype(np.int64) * 1000)


def load(path: Path, viewers: Sequence[int], which: str) -> GazeList:
    """Return the readings of some viewers on the images of one side of the protocol."""
    with np.load(path) as file:
        data = {name: file[name] for name in file.files}
    image, reader = data["image"].astype(int), data["reader"].astype(int)
    sides = {"choose": image % 3 == 0, "report": image % 3 != 0, "all": image >= 0}
    kept = np.isin(reader, viewers) & sides[which]
    keys = np.stack((image, reader), axis=1)[kept]
    at = np.stack((data["x_image"], data["y_image"]), axis=1)[kept].astype(np.float64)
    durations = data["duration_ms"][kept].astype(np.int64)
    pairs, place = np.unique(keys, axis=0, return_inverse=True)
    rng = np.random.default_rng(0)
    gazes = [samples(at[place == k], durations[place == k], rng) for k in range(len(pairs))]
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    readers = tuple(f"V{r:02d}" for r in pairs[:, 1])
    return GazeList(tuple(f"{n:04d}" for n in names), gazes, owners_of(counts.tolist()), readers)


def read_table(path: Path | None) -> Mapping[str, str]:
    """Return labels by image number as four digits; none without a file."""
    if path is None:
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {f"{int(row['image']):04d}": row["label"] for row in csv.DictReader(file)}


def as_markdown(evidence: CohortEvidence) -> str:
    """Return the table as the docs have it."""
    rows = [HEADERS, ["---"] * len(HEADERS), *evidence.table()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Print the table of one side of the protocol."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", choices=("choose", "report", "all"), default="report")
    parser.add_argument("--viewers", type=int, nargs="+", default=None)
    parser.add_argument("--labels", type=Path, default=None)
    parser.add_argument("--measures", nargs="+", default=())
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--positive-rate", type=float, default=0.01)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    viewers = options.viewers or (CHOOSE if options.images == "choose" else REPORT)
    gaze = load(options.data, viewers, options.images)
    table, start = read_table(options.labels), time.perf_counter()
    judging = Judging(
        PairRule(options.positive_rate),
        {"proportions": "image", **parse_settings(options.set)},
        tuple(options.measures),
    )
    labels = [table.get(id_) for id_ in gaze.ids]
    evidence = judge(gaze, labels, judging, ComparisonControl(options.jobs))
    console = Console(width=140)
    console.print(
        f"{evidence.readings:,} readings of {evidence.images} images by viewers "
        f"{', '.join(map(str, viewers))}; {evidence.rule}; {time.perf_counter() - start:.0f} s"
    )
    console.print(as_markdown(evidence), markup=False)
    console.print(evidence.reason)


if __name__ == "__main__":
    main()
