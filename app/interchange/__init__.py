"""Open doors: gaze of other systems comes in, the study goes out in formats others read."""
