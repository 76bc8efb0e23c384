"""What a run learns from: cohort, readings, splits, images."""
