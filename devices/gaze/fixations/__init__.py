"""From gaze in degrees to fixations and other events, online or offline with the same result."""

from devices.gaze.fixations.filter import (
    OnlineFixationFilter,
    detect_events,
    detect_fixations,
)
from devices.gaze.fixations.model import EventKind, Fixation, GazeEvent
from devices.gaze.fixations.parameters import Algorithm, FilterParameters

__all__ = [
    "Algorithm",
    "EventKind",
    "FilterParameters",
    "Fixation",
    "GazeEvent",
    "OnlineFixationFilter",
    "detect_events",
    "detect_fixations",
]
