"""The batches of a run, each a function of seed and step alone, made ahead by threads.

Whatever the number of threads or processes, step n shows the same images in the same views: the
numbers of the whole batch are drawn from (seed, step), and each process takes its share.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.config.recipes import RECIPES
from trainer.encoders.nets import to_input
from trainer.methods.base import Method
from trainer.pretrain.augment import ViewDraw, apply_views, draw_views
from trainer.pretrain.crops import activation_boxes
from trainer.pretrain.job import Job
from trainer.process import distributed
from trainer.process.seeds import Stream, generator_for

_AHEAD = 2  # batches that each thread may be ahead


@dataclass(frozen=True, slots=True)
class Batch:
    """A process's share of a step: ids (b,), two views (b, C, H, W) on the device."""

    ids: Tensor
    view_1: Tensor
    view_2: Tensor


class Batches:
    """Gives the batches of a run from a step on.

    Parameters
    ----------
    job
        What is trained on.
    step
        The first step that is asked for.
    method
        Its encoder marks the boxes of contrastive crops.
    boxes
        Those of the epoch that `step` lies in, from a checkpoint.

    Attributes
    ----------
    boxes
        Of contrastive crops, (N, 4); a checkpoint keeps them. None for other crops.
    """

    def __init__(self, job: Job, step: int, method: Method, boxes: Tensor | None = None) -> None:
        self._job, self._next, self._method = job, step, method
        # Contrastive crops look at the encoder as it is now: no thread may run ahead.
        ahead = 0 if job.config.crop == "ccrop" else job.config.workers
        self._pool = ThreadPoolExecutor(ahead, "views") if ahead else None
        self._depth = ahead * _AHEAD
        self._made: deque[Future[Batch]] = deque()
        self.boxes = boxes
        self._boxes_epoch = -1 if boxes is None else step // job.steps_per_epoch

    def next(self) -> Batch:
        """Return the batch of the next step."""
        step = self._next
        self._next += 1
        if self._pool is None:
            return make_batch(self._job, step, self._crop_boxes(step))
        while len(self._made) < self._depth and step + len(self._made) < self._job.steps:
            self._made.append(self._pool.submit(make_batch, self._job, step + len(self._made)))
        return self._made.popleft().result()

    def _crop_boxes(self, step: int) -> Tensor | None:
        """Return the boxes of contrastive crops, looked at anew at the start of each epoch."""
        if self._job.config.crop != "ccrop":
            return None
        epoch = step // self._job.steps_per_epoch
        if epoch != self._boxes_epoch:
            self.boxes = activation_boxes(self._method, self._job)
            self._boxes_epoch = epoch
        return self.boxes

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def make_batch(job: Job, step: int, boxes: Tensor | None = None) -> Batch:
    """Return this process's share of a step's batch; the same whenever asked.

    Parameters
    ----------
    job, step
        What is trained on, and the step.
    boxes
        Boxes that contrastive crops are centred in, (N, 4); None: all of each image.
    """
    config = job.config
    chosen = batch_ids(config.seed, step, len(job.images), job.batch)
    share = distributed.own_share(job.batch)
    pixels = job.images.batch(chosen[share], job.device)
    views = []
    for stream in (Stream.VIEW_1, Stream.VIEW_2):
        draw = _draw(job, chosen, boxes, generator_for(config.seed, stream, step))
        view = to_input(apply_views(pixels, draw.rows(share), config.view), config.in_channels)
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        views.append(view.contiguous(memory_format=layout))
    return Batch(chosen[share].to(job.device), views[0], views[1])


def _draw(job: Job, chosen: Tensor, boxes: Tensor | None, generator: torch.Generator) -> ViewDraw:
    config = job.config
    return draw_views(
        RECIPES[config.recipe].views,
        job.images.boxes[chosen],
        job.images.side,
        config.size,
        config.flip,
        generator,
        centred_in=None if boxes is None else boxes[chosen],
        keeping=None if job.focus is None else job.focus[chosen],
    )


def batch_ids(seed: int, step: int, images: int, batch: int) -> Tensor:
    """Return the images of a step, (batch,): a slice of its epoch's permutation."""
    epoch, at = divmod(step, images // batch)
    order = torch.randperm(images, generator=generator_for(seed, Stream.ORDER, epoch))
    return order[at * batch : (at + 1) * batch]
