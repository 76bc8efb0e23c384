"""Figures of an analysis: numbers, drawing and what the accuracy does not allow, together."""
