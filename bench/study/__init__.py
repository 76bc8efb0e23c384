"""Parts of the controlled study: phantoms, simulated gaze, cells, tables."""
