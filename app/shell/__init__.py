"""The window: its pages, its start page, the studies opened recently."""
