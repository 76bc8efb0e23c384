"""One module per format that gaze comes in; each gives `SourceReading`s and counts its rows."""
