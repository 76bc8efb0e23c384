"""From gaze in degrees to fixations, online or offline with the same result."""

from devices.gaze.fixations.filter import OnlineFixationFilter, detect_fixations
from devices.gaze.fixations.model import Fixation
from devices.gaze.fixations.parameters import Algorithm, FilterParameters

__all__ = [
    "Algorithm",
    "FilterParameters",
    "Fixation",
    "OnlineFixationFilter",
    "detect_fixations",
]
