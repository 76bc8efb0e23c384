"""Errors of gaze itself, with or without a device.

GazeError
├── ChunkError            a stored gaze chunk is damaged or of an unknown version
└── (devices.errors.DeviceError, of what a tracker does)
"""


class GazeError(Exception):
    """Anything that goes wrong between the eye and the fixation."""


class ChunkError(GazeError):
    """A stored gaze chunk is damaged or of an unknown version."""
