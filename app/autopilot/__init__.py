"""`python main.py read`: the station in use, by a reader or by an autopilot on its own."""
