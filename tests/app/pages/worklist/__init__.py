"""Tests of the worklist page."""
