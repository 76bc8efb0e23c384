"""Gazepoint's trackers, through the Open Gaze API of Gazepoint Control: XML lines over TCP.

Written from the published manual; not tested on the device.
"""

from devices.gazepoint.search import find_gazepoint, open_gazepoint
from devices.gazepoint.tracker import GazepointTracker

__all__ = ["GazepointTracker", "find_gazepoint", "open_gazepoint"]
