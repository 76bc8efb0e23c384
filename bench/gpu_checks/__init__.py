"""Checks of the trainer on a CUDA card; `bench/gpu.py` orders and fences them."""
