"""Trackers that other programs publish through the lab streaming layer (LSL)."""

from devices.lsl.streams import find_streams
from devices.lsl.tracker import LslTracker

__all__ = ["LslTracker", "find_streams"]
