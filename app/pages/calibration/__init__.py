"""Calibration as a complete job: page, controller and the widgets that only it uses."""
