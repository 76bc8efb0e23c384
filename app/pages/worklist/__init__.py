"""The worklist: what is to be read, images dropped on it, the tracker chosen."""
