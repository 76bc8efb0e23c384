"""What a run computes on."""

import os

import pytest
import torch

from trainer.errors import ConfigError
from trainer.process.device import (
    choose_device,
    choose_precision,
    device_text,
    prepare_device,
)

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


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch):
    """Put back what `prepare_device` sets in the whole process."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32
    yield
    cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = before
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("tf32", [True, False])
def test_tf32_is_one_switch_for_convolutions_and_linear_layers(tf32: bool) -> None:
    prepare_device(torch.device("cuda"), tf32=tf32)
    assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == tf32


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("deterministic", [True, False])
def test_deterministic_takes_no_kernel_by_its_speed(deterministic: bool) -> None:
    prepare_device(torch.device("cuda"), deterministic=deterministic)
    assert torch.backends.cudnn.benchmark != deterministic
    assert torch.are_deterministic_algorithms_enabled() == deterministic
    assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) == deterministic


@pytest.mark.usefixtures("untouched")
def test_the_switches_of_a_card_leave_the_cpu_alone() -> None:
    torch.backends.cudnn.benchmark = False
    prepare_device(CPU, deterministic=True, tf32=True)
    assert not torch.backends.cudnn.benchmark
    assert not torch.are_deterministic_algorithms_enabled()
