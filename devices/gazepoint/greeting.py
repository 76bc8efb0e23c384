"""What Gazepoint Control is asked before its records are trusted, and what is switched on."""

import math
from dataclasses import dataclass

from devices.errors import TrackerError
from devices.gazepoint.link import Link, Refused, Unanswered, place
from devices.tracker import TrackerInfo

KIND = "gazepoint"
GAZE = ("POG_LEFT", "POG_RIGHT", "POG_BEST")
WANTED = ("TIME", "TIME_TICK", *GAZE, "PUPIL_LEFT", "PUPIL_RIGHT", "EYE_LEFT", "EYE_RIGHT",
          "PUPILMM")  # fmt: skip
"""Of `ENABLE_SEND_…`. Never POG_FIX: that is filtered, and fixations are found here."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The screen that Control tracks, in pixels of its computer's desktop."""

    x: float
    y: float
    width: float
    height: float

    def __str__(self) -> str:
        """Return size and place."""
        return f"{self.width:g} × {self.height:g} pixels at ({self.x:g}, {self.y:g})"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What Control said.

    Attributes
    ----------
    granted
        Which of `WANTED` its records hold.
    ticks_per_s
        Of its TIME_TICK; None where it has none, and TIME counts.
    """

    info: TrackerInfo
    granted: frozenset[str]
    ticks_per_s: float | None
    screen: Screen | None


def greet(link: Link) -> Greeting:
    """Identify the program and switch its records on. Blocks for up to a few seconds.

    Raises
    ------
    TrackerError
        If it is not a Gazepoint tracker, or sends no gaze or no time.
    """
    info = describe(link)
    frequency = _number(_optional(link, "GET", "TIME_TICK_FREQUENCY"), "FREQ")
    granted = frozenset(
        name for name in WANTED
        if _optional(link, "SET", f"ENABLE_SEND_{name}", STATE=1) is not None
    )  # fmt: skip
    has_ticks = "TIME_TICK" in granted and frequency is not None and frequency > 0
    if not granted & frozenset(GAZE):
        raise TrackerError(
            f"{info.name} at {place(link.address)} does not send gaze. Update Control."
        )
    if not has_ticks and "TIME" not in granted:
        raise TrackerError(
            f"{info.name} at {place(link.address)} does not send times. Update Control."
        )
    screen = screen_of(_optional(link, "GET", "SCREEN_SIZE"))
    link.ask("SET", "ENABLE_SEND_DATA", STATE=1)
    return Greeting(info, granted, frequency if has_ticks else None, screen)


def describe(link: Link, timeout_s: float = 1.0) -> TrackerInfo:
    """Return what the catalogue shows of the tracker. Blocks.

    Raises
    ------
    TrackerError
        If there is none, or it is not a Gazepoint tracker.
    """
    product = _optional(link, "GET", "PRODUCT_ID", timeout_s)
    number = _optional(link, "GET", "SERIAL_ID", timeout_s)
    model = (product or {}).get("VALUE", "").strip()
    serial = (number or {}).get("VALUE", "").strip()
    if not (model or serial):
        raise TrackerError(
            f"The program at {place(link.address)} is not Gazepoint Control, or it has no "
            "tracker: it reports neither PRODUCT_ID nor SERIAL_ID."
        )
    rate_hz = _number(product, "RATE")
    return TrackerInfo(
        id=f"{KIND}:{serial or model}",
        kind=KIND,
        name=f"Gazepoint {model}".strip(),
        model=model,
        serial=serial,
        rate_hz=rate_hz if rate_hz and 1 <= rate_hz <= 5000 else None,
        calibrates=True,
        note=f"by Gazepoint Control at {place(link.address)}",
    )


def screen_of(values: dict[str, str] | None) -> Screen | None:
    """Return the screen that Control names, None where it names none."""
    found = [_number(values, name) for name in ("X", "Y", "WIDTH", "HEIGHT")]
    known = [value for value in found if value is not None]
    return Screen(*known) if len(known) == 4 and min(known[2:]) > 0 else None


def _optional(
    link: Link, verb: str, id_: str, timeout_s: float = 1.0, **values: object
) -> dict[str, str] | None:
    """Return the answer, None where Control does not know what is asked."""
    try:
        return link.ask(verb, id_, timeout_s=timeout_s, **values)
    except (Refused, Unanswered):
        return None


def _number(values: dict[str, str] | None, name: str) -> float | None:
    try:
        number = float((values or {})[name])
    except (KeyError, ValueError):
        return None
    return number if math.isfinite(number) else None
