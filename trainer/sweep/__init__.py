"""Many pre-trainings of one cohort, gaze against plain, seed by seed."""
