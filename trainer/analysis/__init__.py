"""What a finished study says about its readers: no torch, no Qt, nothing trained."""
