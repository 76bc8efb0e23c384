"""Timed comparisons and the controlled study; never run as tests."""
