"""A reading session without Qt: gaze from the tracker to committed rows."""
