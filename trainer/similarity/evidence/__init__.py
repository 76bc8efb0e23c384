"""Which measure carries what on the cohort at hand."""
