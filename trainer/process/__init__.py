"""The trainer as a process: events, stopping, devices, several of them."""
