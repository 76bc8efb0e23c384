"""From the eye to the fixation: samples, geometry, trackers, filters. NumPy and numba only."""
