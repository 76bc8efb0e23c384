"""Trackers that other programs publish through the lab streaming layer (LSL)."""

from devices.lsl.streams import allow_network, find_streams
from devices.lsl.tracker import LslTracker

__all__ = ["LslTracker", "allow_network", "find_streams"]
