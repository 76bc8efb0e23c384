"""The mathematics of gaze: NumPy, numba and OpenCV; no driver, no database, no Qt."""
