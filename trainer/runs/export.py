"""The encoder as a file that others can load, and the card that says where it comes from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from trainer.encoders.layouts import to_timm
from trainer.encoders.nets import GREY_MEAN, GREY_STD, IMAGENET_MEAN, IMAGENET_STD, is_vit
from trainer.pretrain.checkpoint import Identity
from trainer.runs.model_card import model_card
from trainer.runs.onnx import export_onnx

_GREY = "the presentation image (VOI applied, 0 black to 1 white) repeated in all channels"
_BY_STORED = (
    "; in training, views were cut from stored values with the readers' windows, which are "
    "represented here by the image's own window"
)


def export_encoder(
    folder: Path,
    encoder: nn.Module,
    identity: Identity,
    facts: Mapping[str, Any],
    trained_on: Sequence[str] = (),
) -> Path:
    """Write `encoder.safetensors`, `encoder.onnx`, `encoder.json` and `README.md` to a run folder.

    A transformer is written a second time with timm's keys, `encoder.timm.safetensors`.

    Parameters
    ----------
    folder
        The run folder.
    encoder
        Its state dict has torchvision's keys, or those of the library it is named after, less the
        last layer.
    identity
        Config, cohort and pairs.
    facts
        Figures of the run for the card, as JSON values.
    trained_on
        `pixel_fingerprint` of each image that took part in pre-training.

    Returns
    -------
    Path
        The weights; they load with ``strict=True`` into the torchvision net whose last layer is
        ``nn.Identity()``, or into the library's own as the card says.
    """
    path = folder / "encoder.safetensors"
    state, metadata = _plain(encoder), _metadata(identity, trained_on)
    _save(state, path, metadata)
    if is_vit(identity.config.encoder):
        _save(to_timm(state), folder / "encoder.timm.safetensors", metadata)
    onnx = export_onnx(folder / "encoder.onnx", encoder, identity.config)
    card = _card(identity, {**facts, "onnx": onnx})
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / "encoder.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(card), encoding="utf-8")
    return path


def _metadata(identity: Identity, trained_on: Sequence[str]) -> dict[str, str]:
    """Return what the file says of itself; safetensors keeps text only."""
    config = identity.config
    return {
        "format": "pt",
        "encoder": config.encoder,
        "in_channels": str(config.in_channels),
        "config": json.dumps(config.shaping()),
        "config_hash": config.hash(),
        "cohort": identity.cohort,
        "relation": identity.relation,
        "transductive": "true" if config.transductive else "false",
        "seen_images": " ".join(sorted(f[:16] for f in trained_on)),
    }


def _save(state: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    partial = path.with_suffix(".partial")
    save_file(state, partial, metadata=metadata)
    partial.replace(path)


def _plain(encoder: nn.Module) -> dict[str, torch.Tensor]:
    """Return weights on the CPU in torch's usual memory order, which safetensors requires."""
    state = encoder.state_dict()
    return {
        key: value.detach().to("cpu", memory_format=torch.contiguous_format).contiguous()
        for key, value in state.items()
    }


def _card(identity: Identity, facts: Mapping[str, Any]) -> dict[str, Any]:
    config = identity.config
    return {
        "name": config.run_name,
        "encoder": config.encoder,
        "input": {
            "channels": config.in_channels,
            "height": config.view[0],
            "width": config.view[1],
            "mean": IMAGENET_MEAN if config.in_channels == 3 else (GREY_MEAN,),
            "std": IMAGENET_STD if config.in_channels == 3 else (GREY_STD,),
            "grey": _GREY + (_BY_STORED if config.depth == "stored" else ""),
        },
        "method": config.method,
        "pairs": config.pairs,
        "transductive": config.transductive,
        "cohort_fingerprint": identity.cohort,
        "relation_hash": identity.relation,
        "config_hash": config.hash(),
        "config": config.shaping(),
        **facts,
    }
