"""Features of images, and their standardisation by what may be trained on."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.encoders.nets import to_input
from trainer.probe.candidates import Candidate
from trainer.probe.labelled import FloatArray, IntArray

BATCH = 64


def extract(
    candidate: Candidate,
    pixels: NDArray[np.uint8],
    device: torch.device,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FloatArray:
    """Return features (N, D) of images (N, H, W): those of a net at rest, or the pixels."""
    if candidate.make is None:
        return pixels.reshape(len(pixels), -1).astype(np.float64) / 255
    net = candidate.make().to(device).eval()
    parts = []
    with torch.inference_mode():
        for first in range(0, len(pixels), BATCH):
            grey = torch.from_numpy(pixels[first : first + BATCH])[:, None].to(device)
            parts.append(
                net(to_input(grey.float().div_(255), candidate.channels)).float().cpu().numpy()
            )
            progress(min(first + BATCH, len(pixels)), len(pixels))
    return np.concatenate(parts).astype(np.float64)


def standardised(features: FloatArray, train: IntArray) -> FloatArray:
    """Return features (N, D) at mean 0 and deviation 1 over the training images `train`.

    All images that may be trained on count, labelled or not: no label is used, and no test image.
    Features that never change there stay 0 wherever they are.
    """
    known = features[train]
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    varies = deviation > 1e-8 * max(1e-12, float(np.abs(known).max(initial=0.0)))
    scaled = (features - mean) / np.where(varies, deviation, 1.0)
    # A pixel that is constant but for one image would else rule the test image that differs.
    return np.clip(np.where(varies, scaled, 0.0), -10.0, 10.0)
