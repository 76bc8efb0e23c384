"""The trend of a noisy signal."""

from collections.abc import Sequence


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Return the moving average of values, each new one weighing 1 − `weight`; 0 changes nothing.

    The start is not pulled towards zero (the correction of Adam's moments).

    Examples
    --------
    >>> smoothed([1.0, 1.0, 4.0], 0.5)
    [1.0, 1.0, 2.7142857142857144]
    """
    found, sum_, scale = [], 0.0, 0.0
    for value in values:
        sum_ = weight * sum_ + (1 - weight) * value
        scale = weight * scale + (1 - weight)
        found.append(sum_ / scale)
    return found
