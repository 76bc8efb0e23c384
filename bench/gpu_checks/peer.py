"""The same step by lightly on the same card: the net alone, and with its loader."""

import copy
import os
import time
from collections.abc import Callable
from typing import Any

import torch
import torchvision
from gpu_checks.bench import Bench, tail
from gpu_checks.jobs import pixels_of
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from trainer.data.cache import cache_side

Step = Callable[[Tensor, Tensor], Tensor]


def check_lightly(bench: Bench) -> None:
    """Time BYOL with ResNet-18 as lightly's example has it, heads and transforms included."""
    batch, size, images = (8, 32, 64) if bench.tiny else (256, 128, 2048)
    rows: dict[str, object] = {}
    views = [_laid_out(torch.randn(batch, 3, size, size), bench) for _ in range(2)]
    step = _step(bench, _byol().to(bench.device, memory_format=torch.channels_last))
    each = bench.seconds_each(lambda _: step(*views), *((1, 2) if bench.tiny else (8, 25)))
    rows["net alone"] = round(batch / each, 1)
    faults: dict[str, str] = {}
    try:
        rows |= _with_loader(bench, step, batch, size, images)
    except Exception as error:  # what was measured before it is worth its line
        faults = tail(error)
    bench.say("lightly byol R18", not faults, size=size, batch=batch, images_per_s=rows, **faults)


def _laid_out(view: Tensor, bench: Bench) -> Tensor:
    moved = view.to(bench.device, non_blocking=True)
    return moved.contiguous(memory_format=torch.channels_last)


def _byol() -> nn.Module:
    from lightly.models.modules import BYOLPredictionHead, BYOLProjectionHead
    from lightly.models.utils import deactivate_requires_grad

    net = torchvision.models.resnet18(weights=None)
    net.fc = nn.Identity()
    online = nn.ModuleDict({"backbone": net, "projector": BYOLProjectionHead(512, 1024, 256)})
    target = copy.deepcopy(online)
    deactivate_requires_grad(target)
    predictor = BYOLPredictionHead(256, 1024, 256)
    return nn.ModuleDict({"online": online, "target": target, "predictor": predictor})


def _step(bench: Bench, model: nn.Module) -> Step:
    """Return a function that makes one optimiser step of two views."""
    from lightly.loss import NegativeCosineSimilarity
    from lightly.models.utils import update_momentum

    online, target, predict = model["online"], model["target"], model["predictor"]
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=3e-4, fused=bench.cuda)
    loss_of = NegativeCosineSimilarity()

    def predicted(view: Tensor) -> Tensor:
        return predict(online["projector"](online["backbone"](view)))

    @torch.no_grad()
    def followed(view: Tensor) -> Tensor:
        return target["projector"](target["backbone"](view))

    def step(one: Tensor, other: Tensor) -> Tensor:
        for part in ("backbone", "projector"):
            update_momentum(online[part], target[part], 0.99)
        with torch.autocast(bench.device.type, torch.bfloat16, enabled=bench.cuda):
            loss = loss_of(predicted(one), followed(other))
            loss = loss + loss_of(predicted(other), followed(one))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return loss

    return step


class Pictures(Dataset):
    """Cached pictures through lightly's transforms."""

    def __init__(self, images: int, size: int, transform: Callable[[Any], Any]) -> None:
        self.arrays, self.images = pixels_of(64, cache_side(size)).numpy(), images
        self.transform = transform

    def __len__(self) -> int:
        return self.images

    def __getitem__(self, index: int) -> Any:
        return self.transform(Image.fromarray(self.arrays[index % 64]).convert("RGB"))


def _loader(bench: Bench, batch: int, size: int, images: int) -> DataLoader:
    from lightly.transforms import BYOLView1Transform, BYOLView2Transform
    from lightly.transforms.multi_view_transform import MultiViewTransform

    pair = [BYOLView1Transform(input_size=size), BYOLView2Transform(input_size=size)]
    workers = 0 if bench.tiny else max(0, min(14, (os.cpu_count() or 2) - 2))
    return DataLoader(
        Pictures(images, size, MultiViewTransform(pair)), batch, shuffle=True, drop_last=True,
        num_workers=workers, pin_memory=bench.cuda, persistent_workers=workers > 0,
    )  # fmt: skip


def _with_loader(bench: Bench, step: Step, batch: int, size: int, images: int) -> dict[str, object]:
    """Time whole epochs: the first one starts the workers and the second's first step waits."""
    loader = _loader(bench, batch, size, images)
    done, began = 0, None
    for epoch in range(1 if bench.tiny else 3):
        for one, other in loader:
            step(_laid_out(one, bench), _laid_out(other, bench))
            if epoch == 0 and not bench.tiny:
                continue
            if began is None:
                bench.sync()
                began = time.perf_counter()
            else:
                done += 1
        if bench.lacks(30):
            break
    bench.sync()
    if began is None or not done:
        return {}
    rate = done * batch / (time.perf_counter() - began)
    name = f"with its transforms, cached {cache_side(size)} px, {loader.num_workers} workers"
    return {name: round(rate, 1)}
