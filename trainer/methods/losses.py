"""What the losses are made of: small pure functions over features and pair masks.

A mask says which pairs are positive: yes or no (bool), or by a weight from 0 to 1 (float), whose
weights of 0 and 1 alone give the same loss bit for bit. `normalisation` says how their terms are
averaged: "batch" over all positive pairs of the batch, as released, so that an anchor with many
positives weighs more; "anchor" over each anchor's positives first, then over anchors, as SupCon
does (Khosla et al. 2020, arXiv 2004.11362). A method's loss is `in_float32`: a step of bfloat16
near 4 is 0.016.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec

import torch
from torch import Tensor, nn

P = ParamSpec("P")


def in_float32(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Return a loss that is computed in float32, whatever precision the nets run in.

    Features come as they are; autocast, which would lower the products of such a loss to bfloat16
    or float16 again, is off inside it. Its first argument is a tensor on the device.
    """

    @functools.wraps(loss)
    def computed(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        features = args[0]
        assert isinstance(features, Tensor)
        with torch.autocast(features.device.type, enabled=False):
            return loss(*args, **kwargs)

    return computed


def pair_mean(values: Tensor, mask: Tensor, normalisation: str = "batch") -> Tensor:
    """Return the mean of values over positive pairs.

    Parameters
    ----------
    values, mask
        Shape (A, B); the mask bool or weights, with at least one pair.
    normalisation
        "batch": ΣP∘v / ΣP; "anchor": the mean over anchors i that have a positive of
        Σ_j P_ij v_ij / Σ_j P_ij.

    Returns
    -------
    Tensor
        Scalar.
    """
    weighed = values if mask.dtype == torch.bool else values * mask
    # Chosen, not multiplied by nought: what is no pair may be infinite.
    kept = torch.where(mask > 0, weighed, torch.zeros_like(values))
    if normalisation == "batch":
        return kept.sum() / mask.sum()
    count = mask.sum(1)
    by_anchor = kept.sum(1) / torch.where(count > 0, count, 1)
    return by_anchor.sum() / (count > 0).sum()


def masked_cosine(
    predictions: Tensor, targets: Tensor, mask: Tensor, normalisation: str = "batch"
) -> Tensor:
    """Return the mean cosine over positive pairs, ΣP∘cos / ΣP.

    Parameters
    ----------
    predictions, targets
        Shapes (A, D) and (B, D).
    mask
        Shape (A, B), bool or weights, at least one pair.
    normalisation
        See `pair_mean`.

    Returns
    -------
    Tensor
        Scalar in -1 to 1.
    """
    return pair_mean(unit(predictions) @ unit(targets).T, mask, normalisation)


def info_nce(
    logits: Tensor, positives: Tensor, candidates: Tensor, normalisation: str = "batch"
) -> Tensor:
    """Return −ΣM∘logsoftmax(logits)/ΣM: positives stay in the denominator, whatever they weigh.

    Parameters
    ----------
    logits
        Cosines by temperature, shape (A, K).
    positives
        M, shape (A, K), bool or weights.
    candidates
        What the softmax runs over, shape (A, K), bool; a positive is a candidate always. A cell
        that is neither counts for nothing.
    normalisation
        See `pair_mean`.

    Returns
    -------
    Tensor
        Scalar.
    """
    counted = logits.masked_fill(~(candidates | (positives > 0)), -torch.inf)
    return -pair_mean(counted.log_softmax(1), positives, normalisation)


def only(mask: Tensor, where: Tensor) -> Tensor:
    """Return a mask, bool or weights, less what is not `where` (bool, of its shape)."""
    return mask & where if mask.dtype == torch.bool else mask * where


def unit(features: Tensor) -> Tensor:
    """Return features (N, D) of length 1, in float32."""
    return nn.functional.normalize(features.float(), dim=1)


def without(candidates: Tensor, passed_over: Tensor | None) -> Tensor:
    """Return candidates (A, K) less those that are no negatives; None takes none away."""
    return candidates if passed_over is None else candidates & ~passed_over
