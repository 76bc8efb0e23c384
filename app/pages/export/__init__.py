"""Export: the study in every format that others can read."""
