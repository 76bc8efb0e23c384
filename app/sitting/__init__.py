"""An open session in front of a person: the reader, and the state of the recording."""
