"""The filters against two human coders: the table of docs/benchmarks.md.

python -m bench.human_coders FOLDER [--half choose|report|all] [--figures]
    FOLDER is `annotated_data/data used in the article` of the public repository
    richardandersson/EyeMovementDetectorEvaluation (Lund2013; GPL-3, so it is not kept here).

Parameters were searched on coder RA and every second recording of each kind (`--half choose`); the
last choice among a few was made with all scores in sight (docs/benchmarks.md). `report` scores the
recordings that were not searched on, with both coders. An event is found where one of the
filter's overlaps it by more than half of their union, one to one; F1 is the mean over recordings
and over both coders. Rule for pursuit: it is a class of its own. A coder's pursuit
is no fixation and the filter's pursuit is none; the two are scored apart.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.io import loadmat

from devices.gaze.fixations import FilterParameters, detect_events
from devices.gaze.geometry import ScreenGeometry
from tests.devices.gaze.gaze_signal import event_f1

Kind = Literal["img", "video", "dots"]
Coder = Literal["RA", "MN"]
Event = tuple[float, float]
KINDS: tuple[Kind, ...] = ("img", "video", "dots")
CODERS: tuple[Coder, ...] = ("RA", "MN")
FIXATION, SACCADE, PURSUIT, BLINK = 1, 2, 4, 5
"""Labels of the coders; 3 is an oscillation after a saccade, 6 is undefined."""


@dataclass(frozen=True)
class Coded:
    """A recording with the labels of one coder: times in µs, places in degrees, all (N,)."""

    name: str
    t_us: NDArray[np.int64]
    x_deg: NDArray[np.float64]
    y_deg: NDArray[np.float64]
    labels: NDArray[np.int64]

    def events(self, label: int) -> list[Event]:
        """Return first and last time of each stretch of a label."""
        is_it = np.concatenate(([False], self.labels == label, [False]))
        edges = np.flatnonzero(np.diff(is_it.astype(np.int8)))
        return [
            (float(self.t_us[a]), float(self.t_us[b - 1]))
            for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]


def load(file: Path) -> Coded:
    """Return a coded recording; pixels at (0, 0) are lost gaze."""
    data = loadmat(file, squeeze_me=True, struct_as_record=False)["ETdata"]
    stamps, x, y, labels = data.pos[:, [0, 3, 4, 5]].T
    count = len(stamps)
    # Two recordings were made at 200 Hz though `sampFreq` says 500; those of dots have no stamps.
    steps_us = np.diff(stamps)
    step_us = float(np.median(steps_us)) if np.isfinite(steps_us).all() else 1e6 / data.sampFreq
    t_us = np.rint(np.arange(count) * step_us).astype(np.int64)
    (width_m, height_m), (columns, rows) = data.screenDim, data.screenRes
    mm = (width_m * 1000, height_m * 1000, float(data.viewDist) * 1000)
    screen = ScreenGeometry(int(columns), int(rows), *mm)
    lost = (x == 0) & (y == 0)
    degrees = screen.norm_to_deg(np.column_stack((x / columns, y / rows)))
    degrees[lost] = np.nan
    return Coded(file.stem, t_us, degrees[:, 0], degrees[:, 1], labels.astype(np.int64))


def at_rate(recording: Coded, rate_hz: float) -> Coded:
    """Return the recording as a slower tracker would have sampled it: the nearest samples."""
    step_us = recording.t_us[1] - recording.t_us[0]
    wanted = np.arange(0, recording.t_us[-1], 1e6 / rate_hz)
    return _only(recording, np.rint(wanted / step_us).astype(np.int64))


def with_noise(recording: Coded, noise_deg: float, seed: int = 0) -> Coded:
    """Return the recording with white noise of a standard deviation per axis."""
    x, y = np.random.default_rng(seed).normal(0.0, noise_deg, (2, len(recording.t_us)))
    return replace(recording, x_deg=recording.x_deg + x, y_deg=recording.y_deg + y)


def _only(recording: Coded, rows: NDArray[np.int64]) -> Coded:
    names = ("t_us", "x_deg", "y_deg", "labels")
    return replace(recording, **{name: getattr(recording, name)[rows] for name in names})


VARIANTS: dict[str, Callable[[Coded], Coded]] = {
    "as recorded": lambda recording: recording,
    "100 Hz": partial(at_rate, rate_hz=100.0),
    "60 Hz": partial(at_rate, rate_hz=60.0),
    "30 Hz": partial(at_rate, rate_hz=30.0),
    "+0.2°": partial(with_noise, noise_deg=0.2),
    "+0.4°": partial(with_noise, noise_deg=0.4),
}


def found_in(recording: Coded, parameters: FilterParameters) -> dict[int, list[Event]]:
    """Return the filter's events by the coders' labels."""
    seen = recording.t_us, recording.x_deg, recording.y_deg
    fixations, others = detect_events(*seen, parameters)
    found: dict[int, list[Event]] = {FIXATION: [(f.start_us, f.end_us) for f in fixations]}
    for label, kind in ((SACCADE, "saccade"), (PURSUIT, "pursuit"), (BLINK, "blink")):
        found[label] = [(e.start_us, e.end_us) for e in others if e.kind == kind]
    return found


def recordings(folder: Path, kind: Kind, coder: Coder, half: str) -> list[Coded]:
    """Return the recordings of a kind with a coder's labels: every second one, the others, all."""
    files = sorted((folder / kind).glob(f"*_{coder}.mat"))
    if not files:
        raise SystemExit(f"{folder / kind} holds no *_{coder}.mat; see --help.")
    first, step = {"choose": (0, 2), "report": (1, 2), "all": (0, 1)}[half]
    return [load(file) for file in files[first::step]]


def score(coded: Sequence[Coded], variant: str, parameters: FilterParameters, label: int) -> float:
    """Return the mean F1 over recordings; the truth is what was coded at the full rate."""
    vary = VARIANTS[variant]
    return float(
        np.mean([event_f1(r.events(label), found_in(vary(r), parameters)[label]) for r in coded])
    )


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path)
    options.add_argument("--half", choices=("choose", "report", "all"), default="all")
    options.add_argument("--figures", action="store_true", help="durations and distances of people")
    chosen = options.parse_args()
    console = Console()
    console.print(_by_variant(chosen.folder, chosen.half))
    console.print(_by_kind(chosen.folder, chosen.half))
    if chosen.figures:
        console.print(_figures(chosen.folder))


def _by_variant(folder: Path, half: str) -> Table:
    """Return the scores of both filters at several rates and noises."""
    columns: list[tuple[Kind, str]] = [("img", variant) for variant in VARIANTS]
    columns += [("video", "as recorded"), ("dots", "as recorded")]
    table = Table(f"F1 of fixations, {half}", *(f"{k}, {v}" for k, v in columns))
    for parameters in (FilterParameters(), FilterParameters(algorithm="dispersion")):
        rows = [
            [score(recordings(folder, k, coder, half), v, parameters, FIXATION) for k, v in columns]
            for coder in CODERS
        ]
        rows.append(np.mean(rows, axis=0).tolist())
        for coder, row in zip((*CODERS, "mean"), rows, strict=True):
            name = f"{parameters.algorithm}, {coder}"
            table.add_row(name, *(f"{value:.3f}" for value in row))
    return table


def _by_kind(folder: Path, half: str) -> Table:
    """Return human against human, and the filter's other events against both coders."""
    table = Table("F1 as recorded", *KINDS)
    both = {k: [recordings(folder, k, c, half) for c in CODERS] for k in KINDS}
    for name, label in (("fixation", FIXATION), ("saccade", SACCADE), ("pursuit", PURSUIT)):
        pairs = {k: zip(*both[k], strict=True) for k in KINDS}
        people = [
            np.mean([event_f1(a.events(label), b.events(label)) for a, b in pairs[k]])
            for k in KINDS
        ]
        ours = [
            np.mean([score(c, "as recorded", FilterParameters(), label) for c in both[k]])
            for k in KINDS
        ]
        table.add_row(f"{name}: coder against coder", *(f"{value:.3f}" for value in people))
        table.add_row(f"{name}: velocity, mean of coders", *(f"{value:.3f}" for value in ours))
    return table


def _figures(folder: Path) -> Table:
    """Return what people do on pictures: what the simulated reader follows."""
    lasted, distance = [], []
    for coder in CODERS:
        for recording in recordings(folder, "img", coder, "all"):
            whole = recording.events(FIXATION)[1:-1]
            lasted += [(end - start) / 1e6 for start, end in whole]
            places = np.array([_centre(recording, event) for event in whole])
            distance += np.hypot(*np.diff(places, axis=0).T).tolist()
    table = Table("people on pictures", "5 %", "median", "95 %", "")
    spread = f"SD of the logarithm {np.log(lasted).std():.2f}"
    short = f"{np.mean(np.array(distance) < 1.5):.1%} below 1.5°"
    for name, values, note in (
        ("fixation, s", lasted, spread),
        ("to the next, °", distance, short),
    ):
        table.add_row(name, *(f"{q:.2f}" for q in np.quantile(values, (0.05, 0.5, 0.95))), note)
    return table


def _centre(recording: Coded, event: Event) -> NDArray[np.float64]:
    own = (recording.t_us >= event[0]) & (recording.t_us <= event[1])
    return np.nanmean(np.column_stack((recording.x_deg[own], recording.y_deg[own])), axis=0)


if __name__ == "__main__":
    main()
