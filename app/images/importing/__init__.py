"""Turns files and a csv of labels into cases of the study."""
