"""Tests of the calibration page."""
