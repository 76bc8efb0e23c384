"""A run's settings: defaults, recipes, layers, what is refused."""
