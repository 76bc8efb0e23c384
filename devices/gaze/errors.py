"""Errors about gaze itself, with or without a device.

GazeError
├── ChunkError            a stored gaze chunk is damaged or of an unknown version
├── GazeFileError         a gaze file, or a file that belongs to it, cannot be understood
└── (devices.errors.DeviceError, for trackers)
"""


class GazeError(Exception):
    """Anything that goes wrong between the eye and the fixation."""


class ChunkError(GazeError):
    """A stored gaze chunk is damaged or of an unknown version."""


class GazeFileError(GazeError):
    """A gaze file, or a file that belongs to it, cannot be understood."""
