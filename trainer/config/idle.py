"""Settings that a run was given and that do nothing in it: said, for nobody shall wait for them."""

from trainer.config.config import RunConfig
from trainer.config.methods import find_method

_OF_GAZE = ("softness", "agreement", "unread_encoder", "neighbours")
_OF_PATHS = ("path_weight", "path_order")


def idle_settings(config: RunConfig) -> list[str]:
    """Return a sentence for each kind of setting that is not at its default and changes nothing.

    A start from a file has one for the layers of it that are thrown away.

    Examples
    --------
    >>> idle_settings(RunConfig(pairs="none", softness=0.5))
    ['softness has no effect: it is about pairs by gaze, and pairs is none.']
    """
    plain, found = RunConfig(), []

    def given(names: tuple[str, ...]) -> list[str]:
        return [name for name in names if getattr(config, name) != getattr(plain, name)]

    if not config.uses_gaze:
        found += _said(given(_OF_GAZE), f"only used for pairs by gaze, but pairs is {config.pairs}")
    elif not config.neighbours:
        found += _said(given(("mutual",)), "only used with nearest neighbours, but neighbours is 0")
    if not find_method(config.method).paths:
        why = f"only used by methods that follow fixations, but method is {config.method}"
        found += _said(given(_OF_PATHS), why)
    if config.depth == "display":
        found += _said(
            given(("window_jitter",)), "only used with stored values, but depth is display"
        )
    if config.init and config.norm == "group" and config.encoder.startswith("resnet"):
        found.append(
            "norm is group, whose layers start from scratch: the batch normalisation learned by "
            "the init file is lost. Set norm to batch to keep it."
        )
    return found


def _said(names: list[str], why: str) -> list[str]:
    if not names:
        return []
    if len(names) == 1:
        return [f"{names[0]} has no effect: it is {why}."]
    return [f"{', '.join(names[:-1])} and {names[-1]} have no effect: they are {why}."]
