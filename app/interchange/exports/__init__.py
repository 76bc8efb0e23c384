"""What leaves a study: one module per format; pseudonyms only, no free text, no dates."""
