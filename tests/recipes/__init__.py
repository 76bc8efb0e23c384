"""The recipes of docs/recipes, run word for word on small files in the published layouts."""
