"""Probe: how well encoders distinguish classes, set up and shown in the window."""
