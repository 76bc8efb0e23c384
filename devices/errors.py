"""Errors of the device room.

DeviceError
├── ClockError            the host clock is too coarse or stepped
├── ChunkError            a stored gaze chunk is damaged or of an unknown version
├── TrackerError          a tracker cannot be found, opened or understood
│   ├── TrackerNotFound
│   ├── TrackerLost       it was there and is gone
│   └── StreamLayoutError its channels or units cannot be trusted
└── CalibrationError      the tracker refused or failed a calibration step
"""


class DeviceError(Exception):
    """Anything that goes wrong between the eye and the fixation."""


class ClockError(DeviceError):
    """The host clock cannot be trusted to 0.1 ms."""


class ChunkError(DeviceError):
    """A stored gaze chunk is damaged or of an unknown version."""


class TrackerError(DeviceError):
    """A tracker cannot be found, opened or understood."""


class TrackerNotFound(TrackerError):
    """No such tracker is attached."""


class TrackerLost(TrackerError):
    """The tracker was there and is gone."""


class StreamLayoutError(TrackerError):
    """The channels or units of a stream cannot be trusted."""


class CalibrationError(DeviceError):
    """The tracker refused or failed a calibration step."""
