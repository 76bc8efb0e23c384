"""Methods by name; a new method is one file and one line here (and its name in `config`)."""

from collections.abc import Callable

from torch import nn

from trainer.config import RunConfig
from trainer.encoders import make_encoder, seeded_weights
from trainer.methods.base import Method, Widths
from trainer.methods.byol import Byol
from trainer.methods.simsiam import SimSiam

_Maker = Callable[[nn.Module, int, Widths, RunConfig], Method]

_MAKERS: dict[str, _Maker] = {
    "byol": lambda net, width, widths, config: Byol(net, width, widths, config.momentum),
    "simsiam": lambda net, width, widths, config: SimSiam(net, width, widths),
}


def method_names() -> tuple[str, ...]:
    """Return the methods that can be made."""
    return tuple(_MAKERS)


def make_method(config: RunConfig) -> Method:
    """Return the nets of a config, initialised from its seed."""
    widths = Widths(config.projector_hidden, config.projector_out, config.predictor_hidden)
    with seeded_weights(config.seed):
        encoder, width = make_encoder(config.encoder)
        return _MAKERS[config.method](encoder, width, widths, config)
