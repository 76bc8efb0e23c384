"""Each method that there is: stopped and continued bit for bit, its encoder exported strictly."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run, weights
from trainer.config.methods import METHODS
from trainer.encoders.nets import load_encoder, make_encoder, seeded_weights
from trainer.pretrain.paths import ScanPaths

RUNS = [(method, "resnet18") for method in METHODS] + [
    ("trajectory", "timm:test_vit"), ("mocov2", "timm:test_resnet"),
    ("byol", "torchvision:squeezenet1_1"),  # drops features at random
]  # fmt: skip


def made(folder: Path, method: str, encoder: str):
    config = replace(CONFIG, method=method, encoder=encoder, queue=8, epochs=2)
    if encoder != "resnet18":
        config = replace(config, size=32, epochs=1)
    draws = torch.Generator().manual_seed(1)
    paths = ScanPaths.of([[torch.rand(9, 2, generator=draws) * 20] for _ in range(10)])
    changes = {"paths": paths} if METHODS[method].paths else {}
    return job_in(folder, config, **changes)


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize(("method", "encoder"), RUNS)
def test_a_run_goes_on_bit_for_bit_and_its_encoder_loads_strictly(
    tmp_path: Path, method: str, encoder: str
) -> None:
    if encoder.startswith("timm"):
        pytest.importorskip("timm")
    torch.manual_seed(7)  # whatever a process drew before
    straight, _ = run(made(tmp_path / "straight", method, encoder))
    broken = made(tmp_path / "broken", method, encoder)
    part, _ = run(broken, StopAfter(1))
    assert not part.finished
    torch.manual_seed(99)  # as another process would find it
    last, _ = run(broken)
    assert (last.finished, last.step) == (True, straight.step)
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name
    path = tmp_path / "encoder.safetensors"
    save_file({k: v.contiguous() for k, v in last.method.encoder.state_dict().items()}, path)
    with seeded_weights(5):
        net, _ = make_encoder(encoder, size=32)
    state = net.state_dict()
    assert state.keys() == load_file(path).keys()
    if encoder != "resnet18":
        net, _ = load_encoder(path, name=encoder)
    else:
        net.load_state_dict(load_file(path), strict=True)
    size = 16 if encoder == "resnet18" else 32
    if "vit" not in encoder:
        views = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            again, trained = net.eval()(views), last.method.encoder.eval()(views)
            torch.testing.assert_close(again, trained, atol=1e-4, rtol=1e-4)
