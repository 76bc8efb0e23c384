"""What an encoder knows of places: maps of a net of convolutions, a transformer's patches."""

import math

from torch import Tensor, nn

from trainer.errors import ConfigError


def layer_with_places(encoder: nn.Module, stage: str) -> nn.Module:
    """Return a layer whose output still says where.

    Of a vision transformer its last block; of a residual net the stage that is named; of any other
    net its last convolution.
    """
    if isinstance(own := getattr(encoder, "encoder", None), nn.Module):  # torchvision's transformer
        return own
    if tells_patches(encoder):  # timm's
        return list(encoder.get_submodule("blocks").children())[-1]
    if isinstance(found := getattr(encoder, stage, None), nn.Module):
        return found
    return [m for m in encoder.modules() if isinstance(m, nn.Conv2d)][-1]


def tells_patches(encoder: nn.Module) -> bool:
    """Return whether it is one of timm's transformers whose blocks hand on tokens (B, N, C)."""
    return isinstance(getattr(encoder, "num_prefix_tokens", None), int) and isinstance(
        getattr(encoder, "blocks", None), nn.Sequential | nn.ModuleList
    )


def as_maps(encoder: nn.Module, output: Tensor) -> Tensor:
    """Return maps (B, C, h, w) of what such a layer puts out.

    A transformer's tokens (B, before + h · w, C) begin with the class token and registers, which
    lie nowhere and are left out.

    Raises
    ------
    ConfigError
        If the output does not say where.
    """
    if output.ndim == 4:
        return output
    before, rows, columns = _grid(encoder, output)
    tokens = output[:, before:].transpose(1, 2)
    return tokens.reshape(len(output), tokens.shape[1], rows, columns)


def _grid(encoder: nn.Module, output: Tensor) -> tuple[int, int, int]:
    """Return how many tokens come before those of patches, and the patches' rows and columns."""
    count = output.shape[1] if output.ndim == 3 else 0
    told = getattr(getattr(encoder, "patch_embed", None), "grid_size", None)
    for before in (int(getattr(encoder, "num_prefix_tokens", 1)), 0):
        side = math.isqrt(max(0, count - before))
        for rows, columns in (*((told,) if isinstance(told, tuple) else ()), (side, side)):
            if rows * columns == count - before > 0:
                return before, rows, columns
    raise ConfigError(
        f"This encoder ({type(encoder).__name__}) does not tell where in an image its features "
        "lie. Choose a residual network or a vision transformer."
    )
