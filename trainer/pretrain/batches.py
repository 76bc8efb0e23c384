"""The batches of a run, each a function of seed and step alone, made ahead by threads.

Whatever the number of threads or processes, step n shows the same images in the same views: the
numbers of the whole batch are drawn from (seed, step), and each process takes its share. Pairs are
drawn with the batch, since its ids, and those of a queue, are known beforehand. On a card all of
this goes over in one copy, on a stream of its own: the step that runs waits for none of it.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from trainer.config.methods import find_method
from trainer.config.recipes import RECIPES
from trainer.methods.base import Method
from trainer.methods.queue import remembered_ids
from trainer.pairs.policy import StepPairs
from trainer.pretrain.augment import PlacedDraw, ViewDraw, apply_views, draw_views
from trainer.pretrain.crops import activation_boxes
from trainer.pretrain.job import Job
from trainer.pretrain.parcel import send
from trainer.pretrain.paths import draw_glimpses
from trainer.pretrain.window_draws import WindowDraw, shown
from trainer.process import distributed
from trainer.process.seeds import Stream, generator_for

_AHEAD = 2  # batches that each thread may be ahead
_MOST_AHEAD = 4  # of all threads: a batch of 256 views of 224 px takes 100 MB
_MOST_QUEUED = 4  # steps that the host may be ahead of a card


@dataclass(frozen=True, slots=True)
class Batch:
    """A step on the device: ids (B,) of the whole batch, its pairs, and this process's views.

    Views have one channel, 0 to 1, (b, 1, H, W): the step alone makes the encoder's input of them.
    """

    ids: Tensor
    view_1: Tensor
    view_2: Tensor
    pairs: StepPairs

    def tensors(self) -> list[Tensor]:
        """Return all of it."""
        return [self.ids, self.view_1, self.view_2, *self.pairs.tensors()]

    def copied(self) -> "Batch":
        """Return the same in memory of its own."""
        ids, view_1, view_2, *pairs = (t.clone() for t in self.tensors())
        return Batch(ids, view_1, view_2, self.pairs.of(pairs))


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
        self._depth = min(ahead * _AHEAD, max(ahead, _MOST_AHEAD))
        self._made: deque[Future[Batch]] = deque()
        self._card = _Card(job.device) if job.device.type == "cuda" else None
        self.boxes = boxes
        self._boxes_epoch = -1 if boxes is None else step // job.steps_per_epoch

    def next(self) -> Batch:
        """Return the batch of the next step."""
        step = self._next
        self._next += 1
        if self._pool is None:
            return make_batch(self._job, step, self._crop_boxes(step))
        while len(self._made) < self._depth and step + len(self._made) < self._job.steps:
            self._made.append(self._pool.submit(self._make, step + len(self._made)))
        batch = self._made.popleft().result()
        if self._card is not None:
            self._card.hand_over(batch)
        return batch

    def step_queued(self) -> None:
        """Take note that all of a step was asked of the device; hold a host back that runs far."""
        if self._card is not None:
            self._card.step_queued()

    def _make(self, step: int) -> Batch:
        if self._card is None:
            return make_batch(self._job, step)
        with torch.cuda.stream(self._card.stream):
            batch = make_batch(self._job, step)
            self._card.made(batch)
        return batch

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


class _Card:
    """The stream that batches are made on, and how they come from it to the step's."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._ready: dict[int, torch.cuda.Event] = {}
        self._queued: deque[torch.cuda.Event] = deque()

    def made(self, batch: Batch) -> None:
        """Mark the end of a batch's work on the stream."""
        self._ready[id(batch)] = self.stream.record_event()

    def hand_over(self, batch: Batch) -> None:
        """Let the step's stream, not the host, wait for a batch."""
        current = torch.cuda.current_stream(self._device)
        current.wait_event(self._ready.pop(id(batch)))
        for tensor in batch.tensors():
            tensor.record_stream(current)

    def step_queued(self) -> None:
        """Wait until few steps are queued: batches that wait for a card would fill its memory."""
        self._queued.append(torch.cuda.current_stream(self._device).record_event())
        if len(self._queued) > _MOST_QUEUED:
            self._queued.popleft().synchronize()


def make_batch(job: Job, step: int, boxes: Tensor | None = None) -> Batch:
    """Return a step's batch with this process's share of the views; the same whenever asked.

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
    whole = [
        _draw(job, chosen, boxes, generator_for(config.seed, stream, step))
        for stream in (Stream.VIEW_1, Stream.VIEW_2)
    ]
    pairs = _with_glimpses(job, step, chosen, draw_pairs(job, step, chosen), whole[0])
    draws = [PlacedDraw.of(d.rows(share), job.images.side, config.view) for d in whole]
    windows = _windows(job, step, chosen, share)
    parcel = [chosen, chosen[share], *pairs.tensors()]
    parcel += (t for window in windows for t in window.tensors())
    parcel += (t for draw in draws for t in draw.tensors())
    sent = iter(send(parcel, job.device))
    ids, own = next(sent), next(sent)
    pairs = pairs.of([next(sent) for _ in pairs.tensors()])
    cache = job.images if job.stored is None else job.stored.cache
    held = cache.pixels.device == own.device
    pixels = cache.batch(own if held else chosen[share], job.device)
    placed = [WindowDraw(*(next(sent) for _ in window.tensors())) for window in windows]
    pictures = [shown(pixels, window) for window in placed] or [pixels, pixels]
    views = [
        apply_views(picture, PlacedDraw(*(next(sent) for _ in draw.tensors())), config.view)
        for picture, draw in zip(pictures, draws, strict=True)
    ]
    return Batch(ids, views[0], views[1], pairs)


def _windows(job: Job, step: int, ids: Tensor, share: slice) -> list[WindowDraw]:
    """Return the windows of both views of this process's share; none where 8 bits are shown."""
    if job.stored is None:
        return []
    draws = generator_for(job.config.seed, Stream.WINDOWS, step)
    return [job.stored.draw(ids, draws).rows(share) for _ in range(2)]


def draw_pairs(job: Job, step: int, ids: Tensor) -> StepPairs:
    """Return the pairs of a step, on the CPU: of its batch (B,), or of that with the queue."""
    config = job.config
    draws = generator_for(config.seed, Stream.PAIRS, step)
    if not find_method(config.method).queue:
        return job.policy.within(ids, draws)
    earlier = remembered_ids(
        config.queue,
        step,
        job.batch,
        lambda s: batch_ids(config.seed, s, len(job.images), job.batch),
    )
    return job.policy.with_earlier(ids, earlier, draws)


def _with_glimpses(
    job: Job, step: int, ids: Tensor, pairs: StepPairs, first: ViewDraw
) -> StepPairs:
    """Return the pairs of a step with the fixations in the first view, if the method asks."""
    if job.paths is None or not find_method(job.config.method).paths:
        return pairs
    draws = generator_for(job.config.seed, Stream.PATHS, step)
    order, side = job.config.path_order, job.images.side
    return replace(pairs, glimpses=draw_glimpses(job.paths, ids, first.affine, side, order, draws))


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
    order = _small_order if images <= _SMALL else _large_order
    return order(seed, epoch, images)[at * batch : (at + 1) * batch]


_SMALL = 20_000
"""Images up to which the orders of many epochs are kept: a long queue spans a hundred."""


def _order(seed: int, epoch: int, images: int) -> Tensor:
    return torch.randperm(images, generator=generator_for(seed, Stream.ORDER, epoch))


_small_order = lru_cache(maxsize=256)(_order)
_large_order = lru_cache(maxsize=4)(_order)
