"""Pretrain: its page and form, the queue of trainings, the curve."""
