"""Training beside lightly: `python bench/training.py` (peer: ../shared/peers/bench_lightly.py).

One run times lightly and Foveate in one process each method after the other: ResNet-18, 128 px,
batch 32, CPU, the same threads, precision and widths of heads, lightly's own transforms against
ours of the same kind. Then the pair mask, the start of a run on a cached study, and, on a GPU,
images per second, data wait and memory of whole training steps.

As a plug-in of the peer's harness: ``--plugin bench.training:factory``.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from trainer.config.config import RunConfig  # noqa: E402
from trainer.config.recipes import ViewRanges  # noqa: E402
from trainer.data.cache import ImageCache, cache_side  # noqa: E402
from trainer.data.decode import place  # noqa: E402
from trainer.encoders.nets import to_input  # noqa: E402
from trainer.methods.base import Method  # noqa: E402
from trainer.methods.byol import Byol  # noqa: E402
from trainer.methods.mocov2 import MoCoV2  # noqa: E402
from trainer.methods.registry import make_method  # noqa: E402
from trainer.methods.simsiam import SimSiam  # noqa: E402
from trainer.pairs.policy import PairMatrix, PairPolicy  # noqa: E402
from trainer.pretrain.augment import apply_views, draw_views  # noqa: E402
from trainer.pretrain.optimise import make_optimiser  # noqa: E402

PEER = ROOT.parent / "shared" / "peers" / "bench_lightly.py"
# What lightly's transforms do that a grey image can show: crop, flip, tone, blur, solarise.
VIEWS = ViewRanges(
    area=(0.2, 1.0), ratio=(3 / 4, 4 / 3), brightness=0.4, contrast=0.4, tone=0.8, solarise=0.1
)


class Ours:
    """Foveate in the peer's harness: the same net, heads and optimiser as its lightly model."""

    def __init__(self, method: str, size: int, batch: int) -> None:
        self.size, self.side, self.steps = size, cache_side(size), 0
        self.layout = torch.channels_last if CHANNELS_LAST else torch.contiguous_format
        self.method = _method(method).to(memory_format=self.layout).train()  # type: ignore[call-overload]
        config = RunConfig(optimiser="sgd", lr=0.05, weight_decay=1e-4)
        self.optimiser = make_optimiser(config, self.method)
        self.policy = _policy(batch)
        self.cached: tuple[int, Tensor, Tensor] | None = None

    def augment(self, images: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Return two views of cached images, (N, 3, size, size) each, normalised."""
        pixels, boxes = self._cache(images)
        views = []
        for stream in range(2):
            draws = torch.Generator().manual_seed(2 * self.steps + stream)
            draw = draw_views(VIEWS, boxes, self.side, self.size, True, draws)
            view = to_input(apply_views(pixels, draw, self.size))
            views.append(view.contiguous(memory_format=self.layout))
        return views[0], views[1]

    def _cache(self, images: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Return the images as the cache holds them: a run shrinks them once, not each step."""
        if self.cached is None or self.cached[0] != id(images):
            arrays = np.zeros((len(images), self.side, self.side), np.uint8)
            boxes = [place(a, i) for a, i in zip(arrays, images, strict=True)]
            self.cached = id(images), torch.from_numpy(arrays), torch.tensor(boxes).float()
        cache = ImageCache(self.cached[1], self.cached[2])
        return cache.batch(torch.arange(len(images)), torch.device("cpu")), self.cached[2]

    def step(self, view_1: Tensor, view_2: Tensor, ids: Tensor) -> float:
        """Make one optimiser step with gaze pairs; return the loss."""
        view_1, view_2 = (v.contiguous(memory_format=self.layout) for v in (view_1, view_2))
        draws = torch.Generator().manual_seed(self.steps)
        if isinstance(self.method, MoCoV2):
            pairs = self.policy.with_earlier(ids, self.method.queue.ids, draws)
        else:
            pairs = self.policy.within(ids, draws)
        with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            output = self.method(view_1, view_2, ids, pairs)
        self.optimiser.zero_grad(set_to_none=True)
        output.loss.backward()
        self.optimiser.step()
        self.method.after_step(self.steps, 1_000_000)
        self.steps += 1
        return float(output.loss.detach())


CHANNELS_LAST = "--channels-last" in sys.argv
BF16 = "--bf16" in sys.argv


def factory(method: str, size: int, batch: int) -> Ours:
    """Return what the peer's harness times."""
    return Ours(method, size, batch)


def _method(name: str) -> Method:
    """Return a method with the widths of the peer's heads."""
    import torchvision

    from trainer.methods.base import Widths

    net = torchvision.models.resnet18(weights=None)
    net.fc = nn.Identity()
    if name == "byol":
        return Byol(net, 512, Widths(1024, 256, 1024), momentum=0.996)
    if name == "simsiam":
        return SimSiam(net, 512, Widths(512, 128, 64))
    return MoCoV2(
        net, 512, Widths(512, 128), momentum=0.996, momentum_schedule="cosine", queue=4096
    )


def _policy(images: int) -> PairPolicy:
    table = torch.rand(images, images, generator=torch.Generator().manual_seed(0)) > 0.95
    table = (table | table.T) & ~torch.eye(images, dtype=torch.bool)
    return PairPolicy(PairMatrix(table), drop=0.5)


def peer_rows(options: argparse.Namespace) -> dict[str, Any]:
    """Run the peer's harness with ours as its plug-in; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        words = [
            sys.executable, str(PEER), "--plugin", "bench.training:factory", "--json", str(out),
            "--steps", str(options.steps), "--threads", str(options.threads), "--methods",
            *options.methods,
        ]  # fmt: skip
        words += ["--channels-last"] * options.channels_last + ["--bf16"] * options.bf16
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        figures: dict[str, Any] = json.loads(out.read_text())
        return figures


def show_peer(figures: dict[str, Any]) -> None:
    """Print ours beside lightly, in source images per second of the best batch."""
    decode = 32e3 / min(figures["decode"]["all_ms"])
    print("| method | | lightly | Foveate | ratio |\n|---|---|---|---|---|")
    for name, row in figures["methods"].items():
        ours, best = row["plugin"], "best_img_s"
        both = (
            ("augment, full-size files", row["aug_full"][best], ours["augment"][best]),
            ("augment, cached copies", row["aug_cache"][best], ours["augment"][best]),
            ("bare step", row["step"][best], ours["step"][best]),
        )
        whole = _serial(ours["augment"][best], ours["step"][best])
        full = _serial(decode, row["aug_full"][best], row["step"][best])
        cached = _serial(row["aug_cache"][best], row["step"][best])
        both += (
            ("**whole step, full-size files**", full, whole),
            ("**whole step, cached copies**", cached, whole),
        )
        for what, theirs, own in both:
            print(f"| {name} | {what} | {theirs:.1f} | {own:.1f} | {own / theirs:.2f} |")


def _serial(*rates: float) -> float:
    return 1 / sum(1 / r for r in rates)


def median_ms(work: Callable[[], Any], repeats: int) -> float:
    """Return the median time of some work, milliseconds."""
    times = []
    for _ in range(repeats + 3):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times[3:])


def pair_mask() -> None:
    """Print the time of a mask of 64 × 1,280, beside the released double loop."""
    table = torch.rand(700, 700, generator=torch.Generator().manual_seed(0)) > 0.95
    ids, queue = torch.randint(0, 700, (64,)), torch.randint(0, 700, (1280,))
    matrix = table.float().numpy()

    def released() -> None:
        made = torch.zeros(64, 1280)
        for i in range(64):
            for j in range(1280):
                if i == j or matrix[ids[i]][queue[j]] > 0.95:
                    made[i][j] = 1

    draws = torch.Generator().manual_seed(0)
    for drop in (0.0, 0.5):
        policy = PairPolicy(PairMatrix(table), drop)
        ours = median_ms(lambda p=policy: p.mask(ids, queue, draws), 200)
        print(f"pair mask 64 × 1,280, drop {drop}: {ours:.2f} ms")
    started = time.perf_counter()
    released()
    print(f"the same by a double loop in Python: {(time.perf_counter() - started) * 1e3:.0f} ms")


def first_step(images: int) -> None:
    """Print the time from the command to the first step, on a study that is cached already."""
    from tests.trainer.tiny_study import make_study

    with tempfile.TemporaryDirectory() as folder:
        make_study(Path(folder) / "study", images).close()
        words = [
            sys.executable, "main.py", "train", "--study", str(Path(folder) / "study"), "--events",
            "json", "--size", "64", "--batch", "8", "--epochs", "1", "--set", "onnx=false",
        ]  # fmt: skip
        for which in ("first", "cached"):
            started, seconds = time.perf_counter(), 0.0
            process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            for line in process.stdout:
                if not seconds and json.loads(line)["event"] == "metrics":
                    seconds = time.perf_counter() - started
            process.wait()
            print(f"from command to first step, {images} images read, {which}: {seconds:.1f} s")


def gpu(steps: int = 50) -> None:
    """Print images/s, data wait and memory of whole steps on a GPU, cache held there."""
    if not torch.cuda.is_available():
        print("GPU: none at hand, not measured")
        return
    from trainer.pretrain.batches import make_batch
    from trainer.pretrain.checkpoint import Identity
    from trainer.pretrain.job import Job

    device = torch.device("cuda")
    torch.backends.cudnn.benchmark = True
    for method in ("byol", "mocov2", "simsiam"):
        config = RunConfig(method=method, batch=256, size=128, pairs="gzpt")
        side = cache_side(config.size)
        pixels = torch.randint(0, 255, (2048, side, side), dtype=torch.uint8, device=device)
        cache = ImageCache(pixels, torch.full((2048, 2), float(side)))
        policy = _policy(2048)
        identity = Identity(config, "", "", 2048)
        job = Job(identity, cache, policy, Path(), device, torch.bfloat16)
        net = make_method(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = make_optimiser(config, net)
        waited = 0.0
        for step in range(steps + 10):
            if step == 10:
                torch.cuda.synchronize()
                started, waited = time.perf_counter(), 0.0
                torch.cuda.reset_peak_memory_stats()
            begun = time.perf_counter()
            batch = make_batch(job, step)
            waited += time.perf_counter() - begun
            views = (
                to_input(v).contiguous(memory_format=torch.channels_last)
                for v in (batch.view_1, batch.view_2)
            )
            with torch.autocast("cuda", torch.bfloat16):
                loss = net(*views, batch.ids, batch.pairs).loss
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            net.after_step(step, 1000)
        torch.cuda.synchronize()
        seconds = time.perf_counter() - started
        print(
            f"{torch.cuda.get_device_name()}, {method}, bf16: {steps * 256 / seconds:.0f} img/s, "
            f"data wait {waited / seconds:.0%}, {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB"
        )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=["byol", "moco", "simsiam"])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=64, help="of the study that is started")
    parser.add_argument("--channels-last", action="store_true", help="both sides")
    parser.add_argument("--bf16", action="store_true", help="both sides")
    parser.add_argument("--only", choices=("peer", "mask", "start", "gpu"), nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    wanted = options.only or ("peer", "mask", "start", "gpu")
    if "peer" in wanted:
        if not PEER.exists() or importlib.util.find_spec("lightly") is None:
            print(f"lightly or {PEER} is missing: no comparison")
        else:
            show_peer(peer_rows(options))
    if "mask" in wanted:
        pair_mask()
    if "start" in wanted:
        first_step(options.images)
    if "gpu" in wanted:
        gpu()


if __name__ == "__main__":
    main()
