"""Calibration and validation without Qt."""
