"""What the encoder of a run takes, as JSON: the station shows it before the run begins."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.config.config import RunConfig
from trainer.errors import TrainerError


def describe_encoder(config: RunConfig) -> str:
    """Return the fields of `EncoderCost`, the encoder's name and its view; or what is wrong."""
    from trainer.encoders.cost import encoder_cost  # torch is slow to import

    told: dict[str, Any] = {"encoder": config.encoder, "view": config.view}
    init = Path(config.init) if config.init else None
    try:
        cost = encoder_cost(
            config.encoder, config.in_channels, config.view, init, config.train_blocks
        )
    except TrainerError as error:
        return encoder_problem(str(error))
    return json.dumps({**told, **asdict(cost), "problem": ""})


def encoder_problem(message: str) -> str:
    """Return, as JSON, why a run could not have this encoder."""
    return json.dumps({"problem": message})
