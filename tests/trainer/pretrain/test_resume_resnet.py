"""The real net: stopped anywhere and continued, the same weights bit for bit."""

from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import StopAfter, job_in, run, weights
from trainer.config.config import RunConfig

CONFIG = RunConfig(size=32, batch=4, epochs=2, lr=1e-3, device="cpu", drop=0.5)


@pytest.mark.slow  # test_loop does the same with a small net
def test_resnet18_with_byol_and_gzpt_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    straight, _ = run(job_in(tmp_path / "straight", CONFIG))
    broken = job_in(tmp_path / "broken", CONFIG)
    part, _ = run(broken, StopAfter(2))
    assert (part.finished, part.step) == (False, 2)
    torch.manual_seed(99)  # as another process would find it
    last, _ = run(broken)
    assert (last.finished, last.step) == (True, straight.step)
    assert sum(p.numel() for p in last.method.encoder.parameters()) == 11_176_512
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name
