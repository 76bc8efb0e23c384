"""Review of a finished reading: page, controller, replay."""
