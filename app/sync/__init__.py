"""More than one station, and the right to be forgotten; Qt only in `background`."""

URL_VARIABLE = "FOVEATE_DATABASE_URL"
"""Where the URL may stand instead of on the command line, which other users can see."""
