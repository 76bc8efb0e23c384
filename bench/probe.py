"""The linear probe against scikit-learn's own cross-validated logistic regression, in one run.

python bench/probe.py [--repeats 3] [--large]

Both choose C out of the same seven by folds of whole patients, classes weighed alike, least log
loss, then fit on all. Told are median seconds, their ratio and the AUC on the same held-out images:
a faster probe that chose worse would be none.
"""

import argparse
import platform
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from trainer.probe.features import standardised  # noqa: E402
from trainer.probe.linear import STRENGTHS, fit_linear, unconverged_allowed  # noqa: E402
from trainer.probe.validation import inner_folds  # noqa: E402

CLASSES, TESTED, PER_PATIENT = 3, 600, 3


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="also 2,100 labels of raw pixels")
    options = parser.parse_args()
    print(f"{platform.machine()}, scikit-learn {version('scikit-learn')}, one thread each\n")
    print("| labels | features | scikit-learn | Foveate | ratio | AUC scikit-learn | AUC Foveate |")
    print("|---|---|---|---|---|---|---|")
    sizes = [(30, 512), (100, 512), (100, 4096), (500, 4096), (2100, 512)]
    for labels, width in sizes + [(2100, 4096)] * options.large:
        _line(labels, width, options.repeats)


def _line(labels: int, width: int, repeats: int) -> None:
    features, codes, patients = _made(labels + TESTED, width, labels)
    train, test = np.arange(labels), np.arange(labels, labels + TESTED)

    def peer() -> np.ndarray:
        model = LogisticRegressionCV(
            Cs=list(STRENGTHS),
            cv=StratifiedGroupKFold(_folds(codes, patients, labels)).split(
                features[train], codes[train], patients[train]
            ),
            class_weight="balanced",
            scoring="neg_log_loss",
            max_iter=500,
        )
        # Its C is for features of unit length on average, as ours is.
        scale = 1 / np.sqrt(width)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", FutureWarning)
            model.fit(features[train] * scale, codes[train])
        return np.asarray(model.predict_proba(features[test] * scale))

    def ours() -> np.ndarray:
        with unconverged_allowed():
            probe = fit_linear(features[train], codes[train], patients[train], CLASSES, 0)
        return np.exp(probe.log_probabilities(features[test]))

    with threadpool_limits(1):
        (slow, theirs), (fast, own) = _timed(peer, repeats), _timed(ours, repeats)
    scores = [roc_auc_score(codes[test], p, multi_class="ovr") for p in (theirs, own)]
    print(
        f"| {labels} | {width} | {slow:.2f} s | {fast:.2f} s | {slow / fast:.1f} | "
        f"{scores[0]:.3f} | {scores[1]:.3f} |",
        flush=True,
    )


def _made(count: int, width: int, train: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features whose variance falls off as real ones' does, classes and patients."""
    rng = np.random.default_rng(7)
    patients = np.arange(count) // PER_PATIENT
    codes = patients % CLASSES
    fall = np.arange(1, width + 1) ** -0.5
    means = rng.normal(0, 0.12, (CLASSES, width)) * fall
    own = rng.normal(size=(patients[-1] + 1, width))[patients] * 0.5
    values = means[codes] + (own + rng.normal(size=(count, width))) * fall
    mixed = values @ np.linalg.qr(rng.normal(size=(width, width)))[0]
    return standardised(mixed, np.arange(train)), codes, patients


def _folds(codes: np.ndarray, patients: np.ndarray, labels: int) -> int:
    own = inner_folds(codes[:labels], patients[:labels], np.random.default_rng(0))
    return 2 if own is None else int(own.max()) + 1


def _timed(task: Callable[[], np.ndarray], repeats: int) -> tuple[float, np.ndarray]:
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        found = task()
        times.append(time.perf_counter() - begun)
    return float(np.median(times)), found


if __name__ == "__main__":
    main()
