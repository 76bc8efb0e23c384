"""What a run computes on, and how precisely."""

from collections.abc import Mapping
from typing import Any

import torch

from trainer.config import RunConfig
from trainer.errors import ConfigError


def choose_device(config: RunConfig) -> torch.device:
    """Return the device of a run; "auto" takes CUDA if it is there.

    Raises
    ------
    ConfigError
        If CUDA is asked for and not there.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device is cuda, but torch finds no CUDA device. Check the driver (nvidia-smi) and "
            "that torch was installed with CUDA, or use --device cpu."
        )
    if config.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.device)


def choose_bf16(config: RunConfig, device: torch.device) -> bool:
    """Return whether the nets run in bfloat16 (autocast).

    "auto" does so where the device computes in it: a CPU without AVX512-BF16 or AMX emulates it and
    is then some thirty times slower than in float32 (measured), one with it twice as fast.
    """
    if config.precision != "auto":
        return config.precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    ask = getattr(torch.cpu, "get_capabilities", None)  # newer than the oldest torch we allow
    capabilities: Mapping[str, Any] = ask() if ask else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def prepare_device(device: torch.device) -> None:
    """Let cuDNN choose its fastest kernels: all batches of a run have one shape."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True


def device_text(device: torch.device, bf16: bool) -> str:
    """Return device and precision as people say it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return f"{name}, {'bf16' if bf16 else 'fp32'}"
