"""The station's set-up: the screen as measured, the keys."""
