"""Export: the study in every format that others read."""
