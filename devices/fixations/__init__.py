"""From gaze in degrees to fixations, online or offline with the same result."""

from devices.fixations.filter import OnlineFixationFilter, detect_fixations
from devices.fixations.model import Fixation
from devices.fixations.parameters import Algorithm, FilterParameters

__all__ = [
    "Algorithm",
    "FilterParameters",
    "Fixation",
    "OnlineFixationFilter",
    "detect_fixations",
]
