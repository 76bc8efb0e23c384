"""How much of the image had been covered by a time: each reading thin, the mean thick."""

from collections.abc import Sequence

import numpy as np

from trainer.analysis.figures.figure import STYLES, WIDTH, Figure, Target, line_legend
from trainer.analysis.looked import FloatArray, Looked
from trainer.analysis.measures.coverage import coverage_curve
from trainer.drawing.frame import Frame, polyline

STEPS, MOST_THIN = 60, 60
COLUMNS = ("arm", "time_ms", "mean_coverage", "readings_still_looking", "readings")


def coverage_figure(looks: Sequence[Looked], useful_field_deg: float) -> Figure | None:
    """Return the curves; None where no reading's visual angle is known."""
    curves = [(each, coverage_curve(each, useful_field_deg)) for each in looks
              if len(each.start_us)]  # fmt: skip
    known = [(each, curve) for each, curve in curves if curve is not None]
    if not known:
        return None
    arms = sorted({each.arm for each, _ in known})
    lengths = [(each.left_us - each.shown_us) / 1000 for each, _ in known]
    times = np.linspace(0, max(*lengths, 1.0), STEPS + 1)
    legend, high = line_legend(arms if len(arms) > 1 else [], 8, 6, WIDTH - 8)
    height = 300.0 + high
    frame = Frame((0.0, times[-1] / 1000), (0.0, 1.0), WIDTH, height, top=high + 14)
    parts = [legend, frame.drawn("time since the image was first shown (s)", "share covered")]
    values = [covered_at(each, curve, times) for each, curve in known]
    targets = []
    for (each, _), own in list(zip(known, values, strict=True))[:MOST_THIN]:
        style = f"s{arms.index(each.arm) % STYLES}"
        there = times <= (each.left_us - each.shown_us) / 1000
        placed = frame.place(times[there] / 1000, own[there])
        parts.append(polyline(placed, f"series thin {style}"))
        if len(placed) > 1:
            targets += [Target(x - 4, y - 4, 8, 8, each.reading) for x, y in placed[1::2].tolist()]
    table = []
    for number, arm in enumerate(arms):
        chosen = [k for k, (each, _) in enumerate(known) if each.arm == arm]
        mean = np.mean([values[k] for k in chosen], axis=0)
        parts.append(polyline(frame.place(times / 1000, mean),
                              f"series thick s{number % STYLES}"))  # fmt: skip
        table += [
            (arm, float(t), float(m), sum(lengths[k] >= t for k in chosen), len(chosen))
            for t, m in zip(times, mean, strict=True)
        ]
    few = (
        (f" {MOST_THIN} of {len(known)} readings are drawn as thin lines.")
        if len(known) > MOST_THIN
        else ""
    )
    lost = len(curves) - len(known)
    unknown = f" {lost} readings with an unknown visual angle are left out." if lost else ""
    return Figure(
        "coverage", "Coverage over time",
        f"Share of the image within {useful_field_deg:g}° of any fixation so far. Thin lines: "
        "single readings, up to their end. Thick lines: means, in which a reading that has ended "
        f"keeps its last share.{few}{unknown}",
        "".join(parts), WIDTH, height, COLUMNS, table, targets=tuple(targets), tells_readers=True,
    )  # fmt: skip


def covered_at(looked: Looked, curve: FloatArray, times_ms: FloatArray) -> FloatArray:
    """Return the share covered at each time (N,): a fixation counts from its end on."""
    ends = (looked.start_us + looked.duration_us - looked.shown_us) / 1000
    done = np.searchsorted(ends, times_ms, side="right")
    return np.concatenate([[0.0], curve])[done]
