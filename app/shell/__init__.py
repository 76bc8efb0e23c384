"""The window: its pages, its start page, the studies it opened lately."""
