"""`python main.py read`: the station at work, by a reader or by an autopilot without hands."""
