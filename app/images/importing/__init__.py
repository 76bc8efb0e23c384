"""Files and a csv of labels become cases of the study."""
