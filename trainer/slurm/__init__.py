"""Batch scripts for SLURM: a training that is requeued, a search for pairs in parts."""
