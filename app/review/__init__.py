"""Looking at readings after a session: what was seen, where the eyes went, how good the gaze is."""
