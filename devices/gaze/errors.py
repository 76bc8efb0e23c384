"""Errors of gaze itself, with or without a device.

GazeError
├── ChunkError            a stored gaze chunk is damaged or of an unknown version
├── GazeFileError         a file of gaze, or what comes with one, cannot be understood
└── (devices.errors.DeviceError, of what a tracker does)
"""


class GazeError(Exception):
    """Anything that goes wrong between the eye and the fixation."""


class ChunkError(GazeError):
    """A stored gaze chunk is damaged or of an unknown version."""


class GazeFileError(GazeError):
    """A file of gaze, or what comes with one, cannot be understood."""
