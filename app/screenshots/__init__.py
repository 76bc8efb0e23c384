"""Pictures of every page and state: python -m app.screenshots --out FOLDER."""
