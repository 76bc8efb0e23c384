"""The station's own set-up: the screen measured by hand, its monitor, its room."""
