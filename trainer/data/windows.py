"""The windows that readers looked through: of each fixation that in force when it began."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ShownWindow:
    """A window by which an image was looked at.

    Attributes
    ----------
    center, width
        As the view noted them, in output units of the Modality LUT.
    dwell_us
        How long fixations lasted while it was in force.
    """

    center: float
    width: float
    dwell_us: int


class WindowsInForce:
    """Tells the window of an image at an instant, from the views of a reading in order of time."""

    def __init__(self, views: Sequence[Mapping[str, Any]]) -> None:
        self._times: dict[str, list[int]] = defaultdict(list)
        self._windows: dict[str, list[tuple[float, float] | None]] = defaultdict(list)
        for view in views:
            center, width = view["window_center"], view["window_width"]
            noted = None if center is None or width is None else (float(center), float(width))
            self._times[view["image_id"]].append(view["time_us"])
            self._windows[view["image_id"]].append(noted)

    def at(self, image_id: str, time_us: int) -> tuple[float, float] | None:
        """Return centre and width; None where no view notes them."""
        found = bisect_right(self._times.get(image_id, []), time_us)
        return self._windows[image_id][found - 1] if found else None


def dwelt(found: Iterable[tuple[tuple[float, float] | None, int]]) -> tuple[ShownWindow, ...]:
    """Return each window once, with all that was looked through it, microseconds."""
    dwell_us: dict[tuple[float, float], int] = defaultdict(int)
    for window, duration_us in found:
        if window is not None:
            dwell_us[window] += duration_us
    return tuple(ShownWindow(*window, total) for window, total in dwell_us.items())
