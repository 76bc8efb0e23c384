"""The heart of the probe: features, splits and labels in, figures with intervals out."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from trainer.probe.budgets import ALL, Budget, draw_labelled
from trainer.probe.compare import Difference, difference, with_holm
from trainer.probe.features import standardised
from trainer.probe.intervals import (
    Draws,
    Spread,
    bootstrap_means,
    gathered,
    interval,
    make_draws,
)
from trainer.probe.knn import fit_knn
from trainer.probe.labelled import FloatArray, IntArray, LabelledSet
from trainer.probe.linear import fit_linear, unconverged_allowed
from trainer.probe.metrics import score_all
from trainer.probe.splits import Split, Splits

PROBES = ("linear", "knn", "finetune")
FINETUNE_REPEATS = 3
Row = dict[str, Any]


class Finetune(Protocol):
    """Fine-tunes an encoder by name and returns log-probabilities of the tested images."""

    def __call__(self, name: str, train: IntArray, test: IntArray, seed: int) -> FloatArray:
        """Train on images at `train`, return (len(test), K)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How encoders are compared.

    Attributes
    ----------
    budgets
        Labelled images in all, or "all".
    probes
        Of `PROBES`.
    repeats
        Draws of labels for each number; as many as there are splits where these are repeated.
    seed
        Of labels drawn, folds and bootstrap.
    """

    budgets: tuple[Budget, ...] = (10, 25, 100, ALL)
    probes: tuple[str, ...] = ("linear", "knn")
    repeats: int = 10
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out.

    Attributes
    ----------
    rows
        One for each encoder, probe, budget and metric, as `probe.json` holds them.
    differences
        Paired comparisons of all encoders.
    choices
        What each fit chose within its training images, and a hash of what it fitted.
    """

    rows: list[Row]
    differences: list[Difference]
    choices: list[dict[str, Any]]


@dataclass(slots=True)
class _Bench:
    """What all fits share, and what they have scored so far."""

    data: LabelledSet
    splits: Splits
    settings: Settings
    finetune: Finetune | None
    baselines: Sequence[str]
    draws: dict[int, Draws]
    scores: dict[tuple[str, str, Budget], list[dict[str, FloatArray]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    choices: list[dict[str, Any]] = field(default_factory=list)

    def split(self, repeat: int) -> Split:
        """Return who is trained on and tested in a repeat."""
        return self.splits.parts[0 if self.splits.fixed else repeat]

    def keep(self, tried: Sequence["_Tried"]) -> None:
        """Keep what was scored and chosen."""
        for one in tried:
            self.scores[one.key].append(one.scores)
            self.choices.append(one.choice)


@dataclass(frozen=True, slots=True)
class _Tried:
    """One fit: encoder, probe and budget; its scores; what it chose."""

    key: tuple[str, str, Budget]
    scores: dict[str, FloatArray]
    choice: dict[str, Any]


def evaluate(
    features: Mapping[str, FloatArray],
    data: LabelledSet,
    splits: Splits,
    settings: Settings,
    *,
    finetune: Finetune | None = None,
    not_finetuned: Sequence[str] = (),
    baselines: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Try every set of features with every probe and budget, on the same splits and labels.

    Parameters
    ----------
    features
        Shape (N, D) for each encoder, in the order of `data.images`.
    data, splits, settings
        Images, who is tested, and how.
    finetune
        Needed where `settings.probes` holds "finetune".
    not_finetuned
        Encoders that cannot be: raw pixels.
    baselines
        Those that are compared with encoders, but not with each other.
    progress
        Told of repeats × encoders done and in all.
    """
    repeats = settings.repeats if splits.fixed else len(splits.parts)
    patients = int(data.patients.max()) + 1
    draws = {n: make_draws(patients, n, settings.seed) for n in {1, repeats, _most_tuned(repeats)}}
    bench = _Bench(data, splits, settings, finetune, baselines, draws)
    tasks = [(repeat, name) for repeat in range(repeats) for name in features]
    tuned = [
        (repeat, name)
        for repeat, name in tasks
        if "finetune" in settings.probes
        and name not in not_finetuned
        and repeat < _most_tuned(repeats)
    ]
    total = len(tasks) + len(tuned)
    every = chain(_frozen(bench, features, tasks), _finetuned(bench, features, tuned))
    for done, tried in enumerate(every, start=1):
        bench.keep(tried)
        progress(done, total)
    return _outcome(bench, list(features))


def _frozen(
    bench: _Bench, features: Mapping[str, FloatArray], tasks: Sequence[tuple[int, str]]
) -> Iterator[list[_Tried]]:
    """Yield what probes of frozen features score in each repeat and encoder, in this order."""
    probes = [p for p in bench.settings.probes if p != "finetune"]

    def attempt(task: tuple[int, str]) -> list[_Tried]:
        repeat, name = task
        values = standardised(features[name], bench.split(repeat).train)
        return _try(bench, name, values, repeat, probes)

    # A core for each fit: two threads on matrices this small wait more than they compute.
    workers = os.cpu_count() or 1
    with unconverged_allowed(), threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        yield from pool.map(attempt, tasks)


def _finetuned(
    bench: _Bench, features: Mapping[str, FloatArray], tasks: Sequence[tuple[int, str]]
) -> Iterator[list[_Tried]]:
    """Yield what fine-tuning scores, one after the other: each takes the whole device."""
    for repeat, name in tasks:
        yield _try(bench, name, features[name], repeat, ["finetune"])


def _most_tuned(repeats: int) -> int:
    return min(FINETUNE_REPEATS, repeats)


def _try(
    bench: _Bench, name: str, features: FloatArray, repeat: int, probes: Sequence[str]
) -> list[_Tried]:
    codes, patients, settings = bench.data.codes, bench.data.patients, bench.settings
    split, found = bench.split(repeat), []
    weights = _weights(bench, patients[split.test])
    for budget in settings.budgets:
        if budget == ALL and bench.splits.fixed and repeat > 0:
            continue  # the same images again
        rng = np.random.default_rng([settings.seed, repeat, 31])
        train = split.train[draw_labelled(codes[split.train], budget, rng)]
        for probe in probes:
            cell = {"encoder": name, "probe": probe, "budget": budget, "repeat": repeat}
            seed = _fit_seed(bench, repeat)
            guess, choice = _guess(bench, cell, features, train, split.test, seed)
            scores = score_all(guess, codes[split.test], weights, bench.data.grades)
            found.append(_Tried((name, probe, budget), scores, {**cell, **choice}))
    return found


def _fit_seed(bench: _Bench, repeat: int) -> int:
    return bench.settings.seed * 1000 + repeat


def _weights(bench: _Bench, tested: IntArray) -> FloatArray:
    """Return one row of ones, then how often each tested image counts in each sample."""
    drawn = next(iter(bench.draws.values())).patients
    return np.vstack([np.ones(len(tested)), drawn[:, tested]])


def _guess(
    bench: _Bench,
    cell: dict[str, Any],
    features: FloatArray,
    train: IntArray,
    test: IntArray,
    seed: int,
) -> tuple[FloatArray, dict[str, Any]]:
    """Fit on training images alone; return guesses of the tested ones, and what was chosen."""
    codes, patients = bench.data.codes[train], bench.data.patients[train]
    classes = len(bench.data.classes)
    if cell["probe"] == "finetune":
        assert bench.finetune is not None
        guess = bench.finetune(cell["encoder"], train, test, seed)
        return guess, {"choice": "none: a fixed recipe"}
    if cell["probe"] == "linear":
        linear = fit_linear(features[train], codes, patients, classes, seed)
        noted = {"choice": {"C": linear.strength}, "fit": _hash(linear.weights)}
        return linear.log_probabilities(features[test]), noted
    knn = fit_knn(features[train], codes, patients, classes, seed)
    noted = {"choice": {"k": knn.neighbours}, "fit": _hash(knn.features)}
    return knn.log_probabilities(features[test]), noted


def _hash(values: FloatArray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def _outcome(bench: _Bench, names: Sequence[str]) -> Outcome:
    spreads = {key: gathered(scores) for key, scores in bench.scores.items()}
    rows = [
        _row(*key, metric, spread, bench.draws[len(spread.values)])
        for key in _in_order(bench, names)
        for metric, spread in spreads[key].items()
    ]
    differences = with_holm(list(_differences(bench, names, spreads)))
    return Outcome(rows, differences, bench.choices)


def _in_order(bench: _Bench, names: Sequence[str]) -> Iterator[tuple[str, str, Budget]]:
    for probe in bench.settings.probes:
        for budget in bench.settings.budgets:
            for name in names:
                if (name, probe, budget) in bench.scores:
                    yield name, probe, budget


def _row(
    encoder: str, probe: str, budget: Budget, metric: str, spread: Spread, draws: Draws
) -> Row:
    low, high = interval(bootstrap_means(spread, draws))
    there = np.isfinite(spread.values)
    return {
        "encoder": encoder,
        "probe": probe,
        "budget": budget,
        "metric": metric,
        "mean": float(spread.values[there].mean()) if there.any() else None,
        "low": None if np.isnan(low) else low,
        "high": None if np.isnan(high) else high,
        "repeats": len(spread.values),
    }


def _differences(
    bench: _Bench,
    names: Sequence[str],
    spreads: Mapping[tuple[str, str, Budget], Mapping[str, Spread]],
) -> Iterator[Difference]:
    part = bench.splits.parts[0]
    ratio = None if bench.splits.fixed else len(part.test) / len(part.train)
    for probe in bench.settings.probes:
        for budget in bench.settings.budgets:
            tried = [n for n in names if (n, probe, budget) in spreads]
            for one, other in combinations(tried, 2):
                if {one, other} <= set(bench.baselines):
                    continue
                both = spreads[one, probe, budget], spreads[other, probe, budget]
                for metric in both[0]:
                    first, second = both[0][metric], both[1][metric]
                    repeats = len(first.values)
                    mean, low, high, p, test = difference(
                        first, second, bench.draws[repeats], ratio
                    )
                    yield Difference(one, other, probe, budget, metric, mean, low, high, p, p,
                                     test, repeats)  # fmt: skip
