"""The reading station."""
