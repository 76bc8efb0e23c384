"""What a run computes on, and how precisely."""

import os
from collections.abc import Mapping
from typing import Any

import torch

from trainer.errors import ConfigError
from trainer.process.distributed import is_joined


def choose_device(name: str) -> torch.device:
    """Return the device called "cpu", "cuda" or "auto", which takes CUDA if it is there.

    Raises
    ------
    ConfigError
        If CUDA is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device is cuda, but PyTorch finds no CUDA device. Check the driver (nvidia-smi) and "
            "that PyTorch was installed with CUDA, or set device to cpu."
        )
    cuda = name == "cuda" or (name == "auto" and torch.cuda.is_available())
    if not cuda:
        return torch.device("cpu")
    if is_joined():  # of several processes on a machine each has a device of its own
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cuda")


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return what the nets compute in: "fp32", or "bf16" or "fp16" by autocast.

    "auto" takes bfloat16 where the device computes in it: a CPU without AVX512-BF16 or AMX emulates
    it and is then some thirty times slower than in float32 (measured), one with it twice as fast.
    """
    if name != "auto":
        return _DTYPES[name]
    if device.type == "cuda":
        fast = bool(torch.cuda.is_bf16_supported(including_emulation=False))
    else:
        ask = getattr(torch.cpu, "get_capabilities", None)  # newer than the oldest torch we allow
        capabilities: Mapping[str, Any] = ask() if ask else {}
        fast = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return torch.bfloat16 if fast else torch.float32


_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def prepare_device(
    device: torch.device, *, deterministic: bool = False, tf32: bool = False
) -> None:
    """Set what torch may do on a CUDA device; nothing on the CPU.

    Parameters
    ----------
    device
        Where nets compute.
    deterministic
        Whether the same run gives the same weights bit for bit; else cuDNN tries its kernels and
        takes the fastest: all batches of a run have one shape.
    tf32
        Whether float32 products may round their factors to 10 bits, of convolutions and of linear
        layers alike: torch by itself does so for the former only.
    """
    if device.type != "cuda":
        return
    if deterministic:  # before the first product: cuBLAS reads it then
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32


def device_text(device: torch.device, precision: torch.dtype) -> str:
    """Return device and precision as people say it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return f"{name}, {next(k for k, v in _DTYPES.items() if v == precision)}"
