"""Which images are positive pairs."""
