"""How well readers read: ROC figures, agreement, and arms compared (MRMC)."""
