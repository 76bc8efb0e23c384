"""The simulated reader: a tracker whose true gaze is known."""

from devices.simulated.parameters import SimulatedParameters, simulated_info
from devices.simulated.scanpath import TrueFixation
from devices.simulated.scene import Stimulus, Style, Target
from devices.simulated.tracker import SimulatedTracker

__all__ = [
    "SimulatedParameters",
    "SimulatedTracker",
    "Stimulus",
    "Style",
    "Target",
    "TrueFixation",
    "simulated_info",
]
