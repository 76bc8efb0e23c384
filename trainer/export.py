"""The encoder as a file that others can load, and the card that says where it comes from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from trainer.checkpoint import Identity
from trainer.encoders import IMAGENET_MEAN, IMAGENET_STD


def export_encoder(
    folder: Path, encoder: nn.Module, identity: Identity, facts: Mapping[str, Any]
) -> Path:
    """Write `encoder.safetensors`, `encoder.json` and `README.md` into a run folder.

    Parameters
    ----------
    folder
        The run folder.
    encoder
        Its state dict has torchvision's keys, less ``fc``.
    identity
        Config, cohort and pairs.
    facts
        Figures of the run for the card, as JSON values.

    Returns
    -------
    Path
        The weights; load them with ``strict=True`` into the torchvision net whose ``fc`` is
        ``nn.Identity()``.
    """
    path = folder / "encoder.safetensors"
    card = _card(identity, facts)
    partial = path.with_suffix(".partial")
    about = {"config_hash": identity.config.hash(), "cohort": identity.cohort, "format": "pt"}
    save_file(_plain(encoder), partial, metadata=about)
    partial.replace(path)
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / "encoder.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(card), encoding="utf-8")
    return path


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
            "channels": 3,
            "size": config.size,
            "mean": IMAGENET_MEAN,
            "std": IMAGENET_STD,
            "grey": "the presentation image (VOI applied, 0 black to 1 white) in all channels",
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


def _readme(card: Mapping[str, Any]) -> str:
    left_out = {"config", "input", "name"}
    rows = "\n".join(f"| {k} | {v} |" for k, v in card.items() if k not in left_out)
    settings = "\n".join(f"| {k} | {v} |" for k, v in card["config"].items())
    shown = card["input"]
    return f"""# {card["name"]}

An image encoder pre-trained by Foveate. For research, not for diagnosis.

```python
import torch, torchvision
from safetensors.torch import load_file

net = torchvision.models.{card["encoder"]}()
net.fc = torch.nn.Identity()
net.load_state_dict(load_file("encoder.safetensors"), strict=True)
```

Input: {shown["channels"]} channels, {shown["size"]} px, {shown["grey"]}, normalised with mean
{list(shown["mean"])} and standard deviation {list(shown["std"])}.

| fact | value |
|---|---|
{rows}

| setting | value |
|---|---|
{settings}

The weights were learnt from the images of one study; whether they may be passed on is for those who
hold the rights in its images to say.
"""
