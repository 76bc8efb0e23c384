"""Features of single pictures by an encoder file, for looking up what is alike."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from trainer.probe.candidates import Candidate, view_of
from trainer.probe.features import extract
from trainer.probe.inputs import read_inputs
from trainer.probe.labelled import FloatArray, LabelledImage
from trainer.probe.loading import load_weights


def features_of(
    encoder: Path,
    pictures: Sequence[Path],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FloatArray:
    """Return features (N, D) of pictures at the size that the encoder was pre-trained with.

    Raises
    ------
    TrainerError
        If the encoder or a picture cannot be read.
    """
    weights = load_weights(encoder)
    view = view_of(weights.info)
    images = [LabelledImage(path.name, path, "", path.name) for path in pictures]
    pixels = read_inputs(images, [view]).by_view[view]
    candidate = Candidate(
        encoder.name, view, weights.net, weights.trained_on, {}, weights.info.in_channels
    )
    return extract(candidate, pixels, torch.device("cpu"), progress)
