"""Moves between areas as a graph: arrows as wide as they are frequent."""

from collections.abc import Sequence

import numpy as np

from trainer.analysis.figures.figure import Figure, Target, shortened
from trainer.analysis.looked import FloatArray
from trainer.analysis.tables import Row
from trainer.drawing.frame import text

MOST_AREAS = 12
COLUMNS = ("from", "to", "moves", "share_of_moves_from")
_WIDTH, _HEIGHT, _RADIUS, _NODE, _WIDEST, _SQUARE = 640.0, 400.0, 140.0, 15.0, 7.0, 12.0
_MIDDLE = np.array([_WIDTH / 2, _HEIGHT / 2])


def transition_figure(transitions: Sequence[Row], areas: Sequence[Row]) -> Figure | None:
    """Return the graph of all moves, areas of one name taken together; None without a move."""
    counts: dict[tuple[str, str], int] = {}
    for row in transitions:
        move = str(row["from"]), str(row["to"])
        counts[move] = counts.get(move, 0) + int(row["count"])
    if not counts:
        return None
    names = _names(counts, areas)
    leaving = {a: sum(n for (start, _), n in counts.items() if start == a) for a, _ in counts}
    places = _round(len(names))
    most = max(counts.values())
    drawn, targets = [], list[Target]()
    for (a, b), n in sorted(counts.items(), key=lambda item: item[1]):
        if a in names and b in names:
            start, end = places[names.index(a)], places[names.index(b)]
            drawn.append(_arrow(start, end, 1 + (_WIDEST - 1) * n / most))
            targets += _along(start, end, {"from": a, "to": b})
    drawn += [_node(places[k], k, name) for k, name in enumerate(names)]
    total = len({area for move in counts for area in move})
    more = (
        (f" The {MOST_AREAS} of {total} areas with the most moves are shown.")
        if total > len(names)
        else ""
    )
    return Figure(
        "transition-graph", "Moves between areas",
        "Direct moves from a fixation in one area to the next fixation in another, over all "
        f"readings. The widest arrow stands for {most} moves. A fixation outside every area "
        f"breaks the chain.{more}",
        "".join(drawn), _WIDTH, _HEIGHT, COLUMNS,
        [(a, b, n, n / leaving[a]) for (a, b), n in sorted(counts.items())],
        targets=tuple(targets),
    )  # fmt: skip


def _names(counts: dict[tuple[str, str], int], areas: Sequence[Row]) -> list[str]:
    """Return the areas drawn in the order of the table, those with the most moves."""
    moves: dict[str, int] = {}
    for move, count in counts.items():
        for name in move:
            moves[name] = moves.get(name, 0) + count
    kept = sorted(moves, key=lambda name: (-moves[name], name))[:MOST_AREAS]
    order = list(dict.fromkeys(str(row["area"]) for row in areas))
    return sorted(kept, key=lambda name: order.index(name) if name in order else len(order))


def _round(count: int) -> FloatArray:
    turn = 2 * np.pi * np.arange(count) / count - np.pi / 2
    return np.asarray(_MIDDLE + _RADIUS * np.column_stack([np.cos(turn), np.sin(turn)]), np.float64)


def _along(start: FloatArray, end: FloatArray, where: dict[str, str]) -> list[Target]:
    """Return the places of an arrow: squares along it, from node to node."""
    along = (end - start) / np.hypot(*(end - start))
    aside = np.array([-along[1], along[0]]) * 5
    length = float(np.hypot(*(end - start)))
    return [
        Target(x - _SQUARE / 2, y - _SQUARE / 2, _SQUARE, _SQUARE, "", "transitions", where)
        for far in np.arange(_NODE + _SQUARE / 2, length - _NODE, _SQUARE)
        for x, y in [(start + along * far + aside).round(1).tolist()]
    ]


def _arrow(start: FloatArray, end: FloatArray, width: float) -> str:
    """Return an arrow beside the straight line, so that there and back do not cover each other."""
    along = (end - start) / np.hypot(*(end - start))
    aside = np.array([-along[1], along[0]]) * 5
    head = 5 + width
    begin, tip = start + along * _NODE + aside, end - along * (_NODE + 2) + aside
    neck = tip - along * head
    corners = [tip, neck + aside / 5 * head * 0.5, neck - aside / 5 * head * 0.5]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return (
        f'<line class="arrow" x1="{begin[0]:.1f}" y1="{begin[1]:.1f}" x2="{neck[0]:.1f}" '
        f'y2="{neck[1]:.1f}" stroke-width="{width:.1f}"/><polygon class="head" points="{points}"/>'
    )


def _node(place: FloatArray, number: int, name: str) -> str:
    x, y = float(place[0]), float(place[1])
    beyond = (place - _MIDDLE) / _RADIUS * (_NODE + 8)
    anchor = "middle" if abs(beyond[0]) < 8 else "end" if beyond[0] < 0 else ""
    words = shortened(name, 26 if anchor != "middle" else 40)
    return (
        f'<circle class="node" cx="{x:.1f}" cy="{y:.1f}" r="{_NODE:g}"/>'
        + text(x, y + 4, str(number + 1), "middle")
        + text(x + beyond[0], y + beyond[1] + 4, words, anchor)
    )
