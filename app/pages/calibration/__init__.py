"""Calibration, as a job whole: its page, its controller and the widgets that only it uses."""
