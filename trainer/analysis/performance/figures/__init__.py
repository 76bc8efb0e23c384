"""Figures of a reader study: curves of readers and their mean, and readers compared."""
