"""The encoder as ONNX, checked by running it."""

import contextlib
import copy
import importlib.util
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trainer.config.config import RunConfig

log = logging.getLogger("trainer")

_TOLERANCE = 1e-3


def export_onnx(path: Path, encoder: nn.Module, config: RunConfig) -> str:
    """Write the encoder as ONNX; return in words what became of it, for the model card.

    Its input `image` is (B, C, H, W), normalised; its output `features` (B, D); B is free. A file
    whose features are not those of the encoder is not kept. What ONNX needs is an extra of the
    installation: without it, or if it fails, a run loses nothing but this file.
    """
    if not config.onnx:
        return "not requested"
    if importlib.util.find_spec("onnxscript") is None:
        return "not written: it needs onnx, onnxscript and onnxruntime"
    try:
        views = _views(config)
        _write(path, encoder, views)
        return _checked(path, encoder, views)
    except Exception as error:
        log.exception("ONNX export failed")
        path.unlink(missing_ok=True)
        return f"not written: {type(error).__name__}"


def _views(config: RunConfig) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    return torch.randn(2, config.in_channels, *config.view, generator=draws)


def _write(path: Path, encoder: nn.Module, views: Tensor) -> None:
    net = copy.deepcopy(encoder).cpu().to(memory_format=torch.contiguous_format).eval()
    partial = path.with_suffix(".onnx.partial")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (views,),
            str(partial),
            input_names=["image"],
            output_names=["features"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    partial.replace(path)


def _checked(path: Path, encoder: nn.Module, views: Tensor) -> str:
    """Run the file and compare its features with the encoder's, for one image and for two."""
    if importlib.util.find_spec("onnxruntime") is None:
        return f"{path.name}, not checked: that needs onnxruntime"
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    net = copy.deepcopy(encoder).cpu().eval()
    largest = 0.0
    for count in (1, 2):
        (features,) = session.run(None, {"image": views[:count].numpy()})
        with torch.no_grad():
            expected = net(views[:count]).numpy()
        scale = max(1.0, float(np.abs(expected).max()))
        largest = max(largest, float(np.abs(features - expected).max()) / scale)
    if not largest < _TOLERANCE:
        path.unlink()
        return f"not kept: its features differ from the encoder's by {largest:.2g}"
    return f"{path.name}, checked with onnxruntime: features agree within {largest:.1g}"
