"""A reading session without Qt: recorder, live gaze, state machine, recovery."""
