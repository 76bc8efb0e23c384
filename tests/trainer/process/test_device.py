"""What a run computes on."""

import pytest
import torch

from trainer.errors import ConfigError
from trainer.process.device import choose_device, choose_precision, device_text

CPU = torch.device("cpu")


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_device("auto") == CPU
    with pytest.raises(ConfigError, match="no CUDA device"):
        choose_device("cuda")


@pytest.mark.parametrize("has_bf16", [True, False])
def test_auto_precision_follows_what_the_cpu_computes_in(
    monkeypatch: pytest.MonkeyPatch, has_bf16: bool
) -> None:
    monkeypatch.setattr(
        "torch.cpu.get_capabilities", lambda: {"avx512_bf16": has_bf16}, raising=False
    )
    auto = torch.bfloat16 if has_bf16 else torch.float32
    assert choose_precision("auto", CPU) == auto
    assert choose_precision("bf16", CPU) == torch.bfloat16
    assert choose_precision("fp32", CPU) == torch.float32
    assert device_text(CPU, auto) == ("CPU, bf16" if has_bf16 else "CPU, fp32")
