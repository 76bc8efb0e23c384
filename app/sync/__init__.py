"""More than one station, and the right to be forgotten; Qt only in `background`."""
