"""Pairs of a run for images that nobody read; see `trainer.pairs.predicted`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainer.data.cache import ImageCache
from trainer.encoders.nets import load_encoder, to_input
from trainer.errors import ConfigError
from trainer.pairs.choose import ChosenPairs
from trainer.pairs.predicted import Prediction, predict, with_predicted
from trainer.pretrain.augment import apply_views, whole_views
from trainer.runs.stages import Run
from trainer.similarity.base import FloatArray

_BATCH = 64


def pairs_of_unread(
    run: Run, pairs: ChosenPairs, images: ImageCache, patients: Tensor
) -> ChosenPairs:
    """Return pairs with those predicted for unread images, if the run asks and they carry.

    Raises
    ------
    ConfigError
        If there is no similarity of all pairs to learn from.
    SimilarityError
        If too few images were read.
    EncoderError
        If the file of the encoder cannot be read.
    """
    config = run.config
    if not (config.unread_encoder and config.uses_gaze):
        return pairs
    if pairs.matrix is None or pairs.valid is None or pairs.policy.related is None:
        raise ConfigError(
            "unread_encoder needs the gaze similarity of all pairs, for up to 20,000 images; this "
            "run has only that of the nearest. Leave unread_encoder empty."
        )
    with run.stage("similarity", "Predicting gaze similarity of unread images") as meter:
        features = features_of_cache(Path(config.unread_encoder), images)
        meter(1, 2)
        found = predict(features, pairs.matrix, pairs.valid, patients.numpy(), config.seed)
        meter(2, 2)
    unread = len(images) - _read(pairs)
    text = (
        f"{unread} of {len(images)} images have no gaze. Similarity predicted from the pictures "
        f"of unseen patients correlates with the measured one by {found.correlation:.2f} "
        f"(shuffled gaze: {found.by_chance:.2f} at most)"
    )
    if not found.carries:
        run.warn(f"{text}: no better than chance. Unread images are only paired with themselves.")
        return pairs
    run.say("similarity", f"{text}. Experimental: see docs/gaze-methods.md")
    return _extended(run, pairs, found)


def _read(pairs: ChosenPairs) -> int:
    assert pairs.valid is not None
    valid = pairs.valid
    if valid.ndim == 2:
        off = ~np.eye(len(valid), dtype=bool)
        valid = np.asarray((valid & off).any(axis=1))
    return int(np.count_nonzero(valid))


def _extended(run: Run, pairs: ChosenPairs, found: Prediction) -> ChosenPairs:
    assert pairs.policy.related is not None
    assert pairs.valid is not None
    rate = pairs.positive_rate or 0.0
    related = with_predicted(pairs.policy.related, pairs.valid, found, rate, run.config.softness)
    return replace(pairs, policy=replace(pairs.policy, related=related))


@torch.inference_mode()
def features_of_cache(encoder: Path, images: ImageCache) -> FloatArray:
    """Return the features (N, D) that an encoder file gives to whole cached images."""
    net, info = load_encoder(encoder)
    view = (info.size, round(info.size * info.aspect))
    device, parts = images.pixels.device, []
    net = net.to(device)
    for ids in torch.split(torch.arange(len(images)), _BATCH):
        draw = whole_views(images.boxes[ids], images.side)
        views = apply_views(images.batch(ids.to(device), device), draw, view)
        parts.append(net(to_input(views, info.in_channels)).float().cpu())
    return torch.cat(parts).numpy().astype(np.float64)
