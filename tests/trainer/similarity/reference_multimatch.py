"""MultiMatch as its definition reads: lists, a full table, one dimension after another."""

import math
import statistics
from itertools import pairwise


def anchors(points, reach=40):
    if len(points) < 2:
        return []
    found, anchor, count = [], points[0], 1
    for point in points[1:]:
        if abs(point[0] - anchor[0]) < reach and abs(point[1] - anchor[1]) < reach:
            count += 1
        else:
            found.append((anchor[0], anchor[1], count))
            anchor, count = point, 1
    return found


def saccades(fixations):
    return [
        {"dx": b[0] - a[0], "dy": b[1] - a[1], "x": a[0], "y": a[1], "duration": a[2]}
        for a, b in pairwise(fixations)
    ]


def shortest_path(a, b):
    """Return the cells of the cheapest way across, and whether it is the only one."""

    def apart(i, j):
        return math.hypot(a[i]["dx"] - b[j]["dx"], a[i]["dy"] - b[j]["dy"])

    cost, ways = {(0, 0): 0.0}, {(0, 0): []}
    unique = True
    for i in range(len(a)):
        for j in range(len(b)):
            if (i, j) == (0, 0):
                continue
            before = [c for c in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if c in cost]
            best = min(before, key=lambda c: cost[c])
            unique = unique and sum(cost[c] - cost[best] < 1e-9 for c in before) == 1
            cost[i, j] = cost[best] + apart(i, j)
            ways[i, j] = [*ways[best], best]
    last = (len(a) - 1, len(b) - 1)
    return [*ways[last], last], unique


def angle(saccade):
    return math.atan2(saccade["dy"], saccade["dx"]) % (2 * math.pi)


def five(one, other, width, height):
    """Return the five of two lists of fixations, ungrouped, and whether they are sure."""
    if min(len(one), len(other)) < 3:
        return [0.0] * 5, True
    a, b = saccades(one), saccades(other)
    path, unique = shortest_path(a, b)
    pairs = [(a[i], b[j]) for i, j in path]
    turns = [abs(angle(p) - angle(q)) for p, q in pairs]
    diagonal = math.hypot(width, height)
    shape = [math.hypot(p["dx"] - q["dx"], p["dy"] - q["dy"]) for p, q in pairs]
    length = [abs(math.hypot(p["dx"], p["dy"]) - math.hypot(q["dx"], q["dy"])) for p, q in pairs]
    place = [math.hypot(p["x"] - q["x"], p["y"] - q["y"]) for p, q in pairs]
    longer = [max(p["duration"], q["duration"]) for p, q in pairs]
    duration = [
        abs(p["duration"] - q["duration"]) / m if m else 0.0
        for (p, q), m in zip(pairs, longer, strict=True)
    ]
    medians = [
        statistics.median(shape) / (2 * diagonal),
        statistics.median(min(t, 2 * math.pi - t) for t in turns) / math.pi,
        statistics.median(length) / diagonal,
        statistics.median(place) / diagonal,
        statistics.median(duration),
    ]
    return [1 - m for m in medians], unique
