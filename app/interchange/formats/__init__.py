"""One module per import format of gaze; each yields `SourceReading`s and counts its rows."""
