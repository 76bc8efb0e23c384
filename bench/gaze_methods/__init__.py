"""The second controlled study: whether more can be learnt from gaze than pairs. Frozen first."""
