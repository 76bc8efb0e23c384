"""The cohort's flow: what was imported, read and kept, and where the rest went, as one figure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from trainer.report.data import ReportData

_BOX, _WIDTH = 250, 760
_LINE, _GAP = 15, 26


@dataclass(frozen=True, slots=True)
class Step:
    """A box of the flow: how many of what, and what was left out before it (number, reason)."""

    count: int
    what: str
    left_out: tuple[tuple[int, str], ...] = ()


def image_steps(data: ReportData) -> list[Step]:
    """Return the flow of images."""
    members = data.cohort.members
    missing = sum(1 for d in data.cohort.dropped if d.kind == "image")
    lost = ((missing, "no presentation image"),) if missing else ()
    unread = sum(1 for m in members if not m.readings)
    none = (
        ((unread, "without included gaze: used for training, but without gaze pairs"),)
        if unread
        else ()
    )
    return [
        Step(len(data.image_names), "images imported"),
        Step(len(members), "images in the cohort", lost),
        Step(len(members) - unread, "images with included gaze", none),
    ]


def folder_steps(data: ReportData) -> list[list[Step]]:
    """Return the flow of a folder's images: into pre-training, and into a probe."""
    members = data.cohort.members
    count = len(members)
    held = sum(1 for m in members if m.split == "test")
    plain = sum(1 for m in members if m.label is None)
    return [
        [
            Step(count, "images in the folder"),
            Step(count - held, "for pre-training", ((held, "held out for testing"),) * bool(held)),
        ],
        [
            Step(count, "images in the folder"),
            Step(count - plain, "with a label", ((plain, "without a label"),) * bool(plain)),
        ],
    ]


def reading_steps(data: ReportData) -> list[Step]:
    """Return the flow of readings: those recorded, finished, kept."""
    recorded = len(data.readings)
    dropped = [d for d in data.cohort.dropped if d.kind == "reading"]
    never = sum(1 for d in dropped if d.reason.endswith("never finished"))
    others = Counter(_short(d.reason) for d in dropped if not d.reason.endswith("never finished"))
    kept = len({r.reading_id for m in data.cohort.members for r in m.readings})
    joined = recorded - never - sum(others.values()) - kept
    first = [(never, "never finished")] if never else []
    first += [(joined, "parts joined with the reading that resumed them")] if joined > 0 else []
    return [
        Step(recorded, "readings recorded"),
        Step(recorded - never - max(joined, 0), "readings finished", tuple(first)),
        Step(kept, "readings included", tuple((n, reason) for reason, n in others.most_common(5))),
    ]


def flow_chart(flows: Sequence[Sequence[Step]]) -> str:
    """Return the flows one below the other as SVG, and as words for those who do not see it."""
    parts, top, texts = [], 4, []
    for steps in flows:
        drawn, top = _flow(steps, top)
        parts.append(drawn)
        texts += [_step_text(step) for step in steps]
        top += _GAP
    label, height = escape("; ".join(texts)), top - _GAP + 2  # the last box's edge is not cut
    return (
        f'<svg class="chart flow" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _flow(steps: Sequence[Step], top: int) -> tuple[str, int]:
    parts = []
    for number, step in enumerate(steps):
        if number:
            height = max(_GAP, _LINE * len(step.left_out) + 12)
            parts.append(_arrow(top, height))
            x = _BOX / 2 + 26
            parts += [
                f'<text x="{x}" y="{top + 17 + _LINE * k}">− {n} {escape(reason)}</text>'
                for k, (n, reason) in enumerate(step.left_out)
            ]
            top += height
        parts.append(
            f'<rect class="box" x="1" y="{top}" width="{_BOX}" height="32" rx="4"/>'
            f'<text class="strong" x="{_BOX / 2}" y="{top + 21}" text-anchor="middle">'
            f"{step.count} {escape(step.what)}</text>"
        )
        top += 32
    return "".join(parts), top


def _arrow(top: int, height: int) -> str:
    x, end = _BOX / 2, top + height
    return (
        f'<path class="axis" d="M{x} {top}V{end - 1}M{x - 4} {end - 6}L{x} {end - 1}'
        f'L{x + 4} {end - 6}"/>'
    )


def _step_text(step: Step) -> str:
    out = "".join(f", {n} left out: {reason}" for n, reason in step.left_out)
    return f"{step.count} {step.what}{out}"


def _short(reason: str) -> str:
    return reason if len(reason) <= 70 else f"{reason[:69]}…"
