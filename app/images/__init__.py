"""Cases: import, de-identification, greyscale, viewport."""
