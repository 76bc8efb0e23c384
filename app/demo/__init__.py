"""The demo: phantoms, autopilot, the whole way once."""
