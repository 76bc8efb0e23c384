"""The nets, and the weights they start from."""
