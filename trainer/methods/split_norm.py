"""Batch normalisation in parts: one device normalises as several would, each with its own share.

Query and key of an image see the statistics of one batch, and may be told by them. Among several
devices MoCo lets the keys be normalised among other companions than their queries (He et al. 2020,
arXiv 1911.05722, section 3.3); in parts, a single one can.
"""

import torch
from torch import Tensor, nn

_MOST_PARTS = 8
_SMALLEST_PART = 4


def parts_of(count: int) -> int:
    """Return into how many parts a batch falls: at most 8, alike, of 4 images at least.

    Examples
    --------
    >>> parts_of(32), parts_of(256), parts_of(12), parts_of(7)
    (8, 8, 3, 1)
    """
    return max(p for p in range(1, _MOST_PARTS + 1) if p == 1 or _fits(count, p))


def _fits(count: int, parts: int) -> bool:
    return count % parts == 0 and count // parts >= _SMALLEST_PART


def mixed(count: int, device: torch.device | None = None) -> Tensor:
    """Return an order (count,) in which each part holds images of as many other parts as it can.

    A batch is drawn anew each step, so that a fixed order mixes it as a random one does.
    """
    parts = parts_of(count)
    return torch.arange(count, device=device).view(parts, count // parts).T.flatten()


class SplitNorm2d(nn.BatchNorm2d):
    """Batch normalisation of maps (B, C, H, W) by the statistics of each part of a batch.

    Running statistics are the mean of the parts'; weights and keys are those of `BatchNorm2d`.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return normalised maps; the running statistics serve where the net does not train."""
        parts = parts_of(len(input))
        if not self.training or parts == 1:
            return super().forward(input)
        mean, variance = self.running_mean, self.running_var
        assert mean is not None
        assert variance is not None
        means, variances = mean.repeat(parts, 1), variance.repeat(parts, 1)
        made = [
            nn.functional.batch_norm(
                part, means[i], variances[i], self.weight, self.bias, True,
                self.momentum or 0.0, self.eps,
            )
            for i, part in enumerate(input.chunk(parts))
        ]  # fmt: skip
        mean.copy_(means.mean(0))
        variance.copy_(variances.mean(0))
        return torch.cat(made)


def use_split_norm(module: nn.Module) -> None:
    """Replace batch normalisation of maps by that in parts, in place; weights stay.

    What does not learn (`train_last_blocks`) goes on by the statistics of its file.
    """
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            if not child.training:
                continue
            new = SplitNorm2d(child.num_features, child.eps, child.momentum or 0.0)
            new.load_state_dict(child.state_dict())
            new.requires_grad_(child.weight.requires_grad)
            setattr(module, name, new)
        else:
            use_split_norm(child)
