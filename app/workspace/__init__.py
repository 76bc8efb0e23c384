"""The researcher's workspace without Qt: cohort, gaze similarity, runs, features."""
