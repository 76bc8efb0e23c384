"""How alike two readings are."""
