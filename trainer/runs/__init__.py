"""A run from its source to its encoder and model card."""
