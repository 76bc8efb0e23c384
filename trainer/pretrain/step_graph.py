"""The gradient of a step as a CUDA graph: recorded once, then replayed without Python.

A step of ResNet-18 at 128 px is a thousand launches, which take Python longer than they take an
H100. Of a recorded step Python launches one. The optimiser and the target's average stay outside:
they follow a schedule.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from trainer.methods.base import StepOutput
from trainer.pretrain.batches import Batch
from trainer.pretrain.job import Job
from trainer.process import distributed

Work = Callable[[Batch], StepOutput]
"""Adds the gradient of a batch to that of the weights; its output is detached."""
_WARM = 3  # steps that choose kernels and make what lasts, before one can be recorded


def why_no_graph(job: Job) -> str:
    """Return why the steps of a job cannot be recorded; empty where they can."""
    config = job.config
    if job.device.type != "cuda":
        return "the run is not on a CUDA device"
    if distributed.is_joined():
        return "processes exchange features within a step"
    if config.compile and config.compile_mode == "reduce-overhead":
        return "compile_mode = reduce-overhead records graphs of its own"
    return ""


class CudaRecorder:
    """Runs work beside the default stream, where alone it can be recorded, and records it."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def run(self, work: Callable[[], StepOutput]) -> StepOutput:
        """Do the work."""
        now = torch.cuda.current_stream()
        self._stream.wait_stream(now)
        with torch.cuda.stream(self._stream):
            output = work()
        now.wait_stream(self._stream)
        return output

    def record(self, work: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        """Record the work without doing it; return where its output will be, and what does it."""
        graph = torch.cuda.CUDAGraph()
        # The thread that makes batches may ask for memory meanwhile.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            output = work()
        return output, graph.replay


class StepGraph:
    """Does the first steps as they are, records the next, and replays it from then on.

    Gradients must keep their memory between steps: zero them, do not set them to None.

    Parameters
    ----------
    work
        What a step is.
    recorder
        How it is recorded.
    """

    def __init__(self, work: Work, recorder: CudaRecorder) -> None:
        self._work, self._recorder, self._warm = work, recorder, _WARM
        self._batch: Batch | None = None
        self._output: StepOutput | None = None
        self._replay: Callable[[], None] = lambda: None

    def __call__(self, batch: Batch) -> StepOutput:
        """Add the gradient of a batch; its projections and mask last until the next call."""
        if self._warm:
            self._warm -= 1
            return self._recorder.run(lambda: self._work(batch))
        if self._batch is None or self._output is None:
            self._batch = kept = batch.copied()
            self._output, self._replay = self._recorder.record(lambda: self._work(kept))
        for mine, new in zip(self._batch.tensors(), batch.tensors(), strict=True):
            mine.copy_(new)
        self._replay()
        return replace(self._output, loss=self._output.loss.clone())
