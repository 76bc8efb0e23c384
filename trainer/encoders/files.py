"""Which file holds an encoder: a file of weights, or the encoder in a run's folder."""

import argparse
from pathlib import Path

ENCODER_FILE = "encoder.safetensors"


def encoder_path(path: Path) -> Path:
    """Return the encoder in a run's folder; any other path as it is."""
    inside = path / ENCODER_FILE
    return inside if inside.is_file() else path


def existing_encoder(text: str) -> Path:
    """Take an encoder from the command line: a file of weights or the folder of a finished run."""
    path = encoder_path(Path(text))
    if path.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text} has no {ENCODER_FILE}. Name a file of weights, or the folder of a run that "
            "has finished."
        )
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} does not exist.")
    return path
