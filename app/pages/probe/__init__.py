"""Probe: how well encoders tell classes apart, asked and shown in the window."""
