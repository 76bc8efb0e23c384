"""Warnings about a Gazepoint tracker, besides its samples."""

import time
from collections import deque
from collections.abc import Iterator, Sequence

from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gazepoint.greeting import GAZE, WANTED, Greeting, Screen
from devices.tracker import EventKind, TrackerInfo

Said = Iterator[tuple[EventKind, str]]

RATE_OVER_US = 2e6
RATE_OFF = 0.2
TELL_EVERY_S = 10.0


class Complaints:
    """Reports what is wrong, each fault once while it lasts."""

    def __init__(self, info: TrackerInfo, geometry: ScreenGeometry | None) -> None:
        self._info, self._geometry = info, geometry
        self._granted: frozenset[str] | None = None
        self._screen: Screen | None = None
        self._times_us: deque[float] | None = deque()
        self._malformed_count, self._told_s = 0, float("-inf")

    def of_greeting(self, greeting: Greeting) -> Said:
        """Report what Control does not send, or no longer sends, and which screen it tracks."""
        self._info = greeting.info
        missing = [name for name in WANTED if name not in greeting.granted]
        if self._granted is None and not greeting.granted & set(GAZE[:2]):
            yield (
                "fault",
                (f"{self._info.name} reports one gaze point for both eyes: its best estimate."),
            )
        elif self._granted not in (None, greeting.granted):
            lacks = ", ".join(missing) or "nothing"
            yield "layout_change", f"{self._info.name} reconnected without {lacks}."
        if greeting.ticks_per_s is None:
            yield (
                "fault",
                f"{self._info.name} does not send TIME_TICK, and its TIME restarts at each "
                "calibration.",
            )
        self._granted = greeting.granted
        self._times_us = deque()
        yield from self.of_screen(greeting.screen)

    def of_screen(self, screen: Screen | None) -> Said:
        """Compare the screen that Control tracks with the one in use."""
        here = self._geometry
        if screen is None or here is None or screen == self._screen:
            return
        was_other = self._screen is not None and not _is_same(self._screen, here)
        self._screen = screen
        if _is_same(screen, here):
            if was_other:
                yield "display_area", "Gazepoint Control is tracking the reading screen again."
        else:
            ratio = here.device_pixel_ratio
            place = Screen(here.x_desktop * ratio, here.y_desktop * ratio,
                           here.width_screen * ratio, here.height_screen * ratio)  # fmt: skip
            yield (
                "display_area",
                f"Gazepoint Control tracks another screen: {screen}; Foveate uses {place}. "
                "Choose the same screen in Control, or gaze will be recorded in the wrong place.",
            )

    def of_rate(self, times_us: FloatArray) -> Said:
        """Compare the rate of the records (N,) with the one that the product reports."""
        seen = self._times_us
        if seen is None or self._info.rate_hz is None:
            return
        if seen and times_us[0] < seen[-1]:
            seen.clear()
        seen.extend(times_us.tolist())
        lasted_us = seen[-1] - seen[0]
        if lasted_us < RATE_OVER_US:
            return
        self._times_us = None
        rate_hz = 1e6 * (len(seen) - 1) / lasted_us
        if abs(rate_hz / self._info.rate_hz - 1) > RATE_OFF:
            yield (
                "rate_change",
                f"{self._info.name} reports {self._info.rate_hz:g} Hz, but its samples arrive at "
                f"{rate_hz:.0f} Hz.",
            )

    def of_lines(self, malformed: Sequence[str]) -> Said:
        """Report that lines could not be read, with the last of them."""
        self._malformed_count += len(malformed)
        if not malformed or time.monotonic() - self._told_s < TELL_EVERY_S:
            return
        count, self._malformed_count = self._malformed_count, 0
        self._told_s = time.monotonic()
        lines = "1 line" if count == 1 else f"{count} lines"
        yield "fault", f"{self._info.name} sent {lines} that cannot be read: {malformed[-1][:80]}"


def _is_same(screen: Screen, here: ScreenGeometry) -> bool:
    """Return whether they agree, in physical pixels or in those of a scaled desktop."""
    ratio = here.device_pixel_ratio
    sizes = ((here.width_screen * k, here.height_screen * k) for k in (1.0, ratio))
    is_size = any(abs(screen.width - w) <= 2 and abs(screen.height - h) <= 2 for w, h in sizes)
    # On scaled desktops, programs count screen positions differently.
    is_place = ratio != 1.0 or (
        abs(screen.x - here.x_desktop) <= 2 and abs(screen.y - here.y_desktop) <= 2
    )
    return is_size and is_place
