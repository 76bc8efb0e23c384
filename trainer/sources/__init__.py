"""Where images, pairs and splits of a run come from: a study, or files only."""
