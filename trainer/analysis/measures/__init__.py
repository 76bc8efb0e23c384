"""Measures of gaze, one file a group; a file with a `GROUP` registers itself."""
