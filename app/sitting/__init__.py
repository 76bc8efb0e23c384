"""An open session in front of a person: who reads, how the recording stands."""
