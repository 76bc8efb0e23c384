"""How many positive pairs share their class, for each measure, rate, threshold and degree."""

import time
from typing import Any

from bench.study.cells import TRAINED, cohort, purity, similarity
from bench.study.plan import DEGREES, Cell
from devices.gaze.pair_rates import positive_rate, threshold_for_rate

MEASURES = ("tima", "tima-k20", "moment", "moment_sequence", "dhash", "density", "multimatch")
RATES = (0.01, 0.02, 0.05, 0.1, 0.2)
THRESHOLDS = (0.7, 0.8, 0.9, 0.95)


def purities(measure: str, seed: int) -> dict[str, Any]:
    """Return purity by degree and by rate or threshold, with the rate reached."""
    begun = time.perf_counter()
    labels = [p.label for p in cohort(seed).phantoms[:TRAINED]]
    rows = []
    for g in DEGREES:
        matrix, valid = similarity(Cell("byol", "gzpt", g, measure=measure, seed=seed))
        cuts = {f"rate {r:g}": threshold_for_rate(matrix, valid, r) for r in RATES}
        cuts |= {f"above {t:g}": t for t in THRESHOLDS}
        rows += [
            {"g": g, "rule": rule, "threshold": cut, "purity": purity(matrix, valid, cut, labels),
             "positive_rate": positive_rate(matrix, valid, cut)}
            for rule, cut in cuts.items()
        ]  # fmt: skip
    seconds = round(time.perf_counter() - begun, 1)
    return {"cell": f"purity {measure}", "seed": seed, "rows": rows, "seconds": seconds}
