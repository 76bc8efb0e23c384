"""One module a measure: features of one reading, similarity of features; found by name."""
