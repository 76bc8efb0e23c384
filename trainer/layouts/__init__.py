"""A study in the layouts of other trainers: the released McGIP/GzPT code, npz for anything else."""
