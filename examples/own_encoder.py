"""Encode a study's images by an encoder of one's own: python examples/own_encoder.py STUDY.

Any `torch.nn.Module` from (N, 1, H, W) to (N, D) will do; this one is small and knows nothing.
"""

import sys

import cv2
import numpy as np
import torch
from torch import nn

from trainer.api import open_study

SIZE = 64


def encoder() -> nn.Module:
    """Return a net with random weights."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()
    )


def main(folder: str) -> None:
    """Print which image is nearest to each by the encoder's features."""
    with open_study(folder) as study:
        names = list(study.images()["image"])
        pictures = [cv2.resize(study.picture(name), (SIZE, SIZE)) for name in names]
    batch = torch.from_numpy(np.stack(pictures)).float().unsqueeze(1) / 255
    with torch.no_grad():
        features = nn.functional.normalize(encoder()(batch)).numpy()
    alike = features @ features.T
    np.fill_diagonal(alike, -1)
    for name, nearest in zip(names, alike.argmax(axis=1), strict=True):
        print(f"{name}: nearest is {names[nearest]}")


if __name__ == "__main__":
    main(sys.argv[1])
