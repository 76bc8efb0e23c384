"""The pre-training itself: batches, views, the loop, checkpoints."""
