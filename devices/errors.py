"""Errors of the device room.

GazeError                 (devices.gaze.errors) the parent of all
├── ChunkError            (devices.gaze.errors)
└── DeviceError
    ├── ClockError            the host clock is too coarse or stepped
    ├── TrackerError          a tracker cannot be found, opened or understood
    │   ├── TrackerNotFound
    │   ├── TrackerLost       it was there and has gone
    │   ├── AmbiguousStream   several streams have that name
    │   └── StreamLayoutError its channels or units cannot be trusted
    └── CalibrationError      the tracker refused or failed a calibration step
"""

from devices.gaze.errors import GazeError


class DeviceError(GazeError):
    """A tracker or the host clock fails."""


class ClockError(DeviceError):
    """The host clock cannot be trusted to 0.1 ms."""


class TrackerError(DeviceError):
    """A tracker cannot be found, opened or understood."""


class TrackerNotFound(TrackerError):
    """No such tracker is attached."""


class TrackerLost(TrackerError):
    """The tracker was connected and has gone."""


class AmbiguousStream(TrackerError):
    """Several streams have the same id."""


class StreamLayoutError(TrackerError):
    """The channels or units of a stream cannot be trusted."""


class CalibrationError(DeviceError):
    """The tracker refused or failed a calibration step."""
