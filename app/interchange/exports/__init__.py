"""What leaves a study: one module per format; only pseudonyms, no free text, no dates."""
