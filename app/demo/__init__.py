"""The demo: phantoms, autopilot, the full pipeline once."""
