"""Interchange: gaze from other systems comes in, the study goes out in formats others read."""
