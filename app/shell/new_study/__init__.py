"""The way to a new study, a step at a time; nothing is made before the last button."""
