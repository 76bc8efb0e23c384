"""Fine-tuning: encoder and a linear head together, by a fixed recipe that chooses nothing."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.config.recipes import ViewRanges
from trainer.encoders.nets import to_input
from trainer.pretrain.augment import apply_views, draw_views
from trainer.probe.labelled import FloatArray, IntArray
from trainer.probe.validation import class_weights
from trainer.process.seeds import Stream, generator_for

VIEWS = ViewRanges(
    area=(0.6, 1.0), ratio=(0.85, 1.18), rotation_deg=7, flip=0.5, brightness=0.15, contrast=0.15,
    tone=0.8, blur=0.2,
)  # fmt: skip
BATCH = 32
STEPS, STEPS_PER_IMAGE, MOST_STEPS = 80, 0.4, 600
RATE, HEAD_RATE, DECAY = 2e-4, 2e-3, 1e-2


def finetune(
    make: Callable[[], nn.Module],
    pixels: NDArray[np.uint8],
    codes: IntArray,
    classes: int,
    tested: NDArray[np.uint8],
    device: torch.device,
    seed: int,
    channels: int = 3,
) -> FloatArray:
    """Train on labelled images and return log-probabilities (M, K) of the tested ones.

    The length of the training follows from the number of labels alone.

    Parameters
    ----------
    make
        Makes the encoder.
    pixels, codes
        Labelled images (N, H, W) and their classes.
    tested
        Shape (M, H, W); looked at when all is over.
    seed
        Of head, order and views.
    """
    net = _Net(make(), classes, (channels, *pixels.shape[1:]), seed).to(device)
    _train(net, torch.from_numpy(pixels), codes, device, seed)
    net.eval()
    parts = []
    with torch.inference_mode():
        for first in range(0, len(tested), BATCH):
            grey = torch.from_numpy(tested[first : first + BATCH])[:, None].to(device)
            logits = net(grey.float().div_(255))
            parts.append(logits.float().log_softmax(dim=1).cpu().numpy())
    return np.concatenate(parts).astype(np.float64)


class _Net(nn.Module):
    """An encoder, its features brought to one scale, and a linear head from a seed."""

    def __init__(self, encoder: nn.Module, classes: int, shape: tuple[int, ...], seed: int) -> None:
        super().__init__()
        self.encoder, self.channels = encoder.eval(), shape[0]
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            width = int(encoder(torch.zeros(1, *shape)).shape[1])
            self.head = nn.Linear(width, classes)
        self.norm = nn.BatchNorm1d(width, affine=False)

    def forward(self, views: Tensor) -> Tensor:
        features = self.encoder(to_input(views, self.channels))
        return self.head(self.norm(features))  # type: ignore[no-any-return]


def _train(net: _Net, pixels: Tensor, codes: IntArray, device: torch.device, seed: int) -> None:
    weight = torch.zeros(net.head.out_features)
    weight[: int(codes.max()) + 1] = torch.from_numpy(class_weights(codes)).float()
    loss, truth = nn.CrossEntropyLoss(weight.to(device)), torch.from_numpy(codes)
    steps = int(min(MOST_STEPS, STEPS + STEPS_PER_IMAGE * len(pixels)))
    groups = [
        {"params": list(net.encoder.parameters()), "lr": RATE},
        {"params": list(net.head.parameters()), "lr": HEAD_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=DECAY)
    rates = [RATE, HEAD_RATE]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, steps, pct_start=0.1)
    net.train()
    for step in range(steps):
        chosen = _batch(len(pixels), step, seed)
        views = _views(pixels[chosen], step, seed, device)
        optimiser.zero_grad(set_to_none=True)
        loss(net(views), truth[chosen].to(device)).backward()
        optimiser.step()
        schedule.step()


def _batch(count: int, step: int, seed: int) -> Tensor:
    """Return the images of a step: slices of one endless shuffle, at least 2."""
    size = min(BATCH, count)
    epoch, at = divmod(step, max(1, count // size))
    order = torch.randperm(count, generator=generator_for(seed, Stream.ORDER, epoch))
    return order[at * size : (at + 1) * size]


def _views(pixels: Tensor, step: int, seed: int, device: torch.device) -> Tensor:
    height, width = pixels.shape[1:]  # crops are drawn in shares of the image, whatever its aspect
    boxes = torch.full((len(pixels), 2), float(height))
    generator = generator_for(seed, Stream.VIEW_1, step)
    draw = draw_views(VIEWS, boxes, height, height, True, generator)
    return apply_views(pixels[:, None].to(device), draw, (height, width))
