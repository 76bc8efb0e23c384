"""Turns files into stored values, in one process that a hostile file may kill."""
