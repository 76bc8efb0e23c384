"""`--size auto`: the size of views that a study's boxes and fixations propose; its cost."""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from migrations.study.folder import Study
from migrations.study.view_size import FEWEST, ViewProposal, cost, propose, seen_parts
from trainer.config.config import RunConfig
from trainer.config.layers import merged
from trainer.errors import ConfigError

AUTO = "auto"


def size_option(text: str) -> int | str:
    """Take pixels or "auto" from the command line."""
    if text == AUTO:
        return text
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text} is neither a whole number nor auto.")
    return int(text)


def with_size(
    options: argparse.Namespace, layers: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """Return layers of settings whose size is a number, and what that number is based on.

    Raises
    ------
    ConfigError
        If nothing can be proposed.
    """
    made = [dict(layer) for layer in layers]
    if made[-1].get("size") != AUTO:
        return made, ""
    del made[-1]["size"]
    if options.study is None:
        raise ConfigError(
            "--size auto is based on the boxes and fixations of a study. Use --study."
        )
    encoder = str(merged(made).get("encoder", RunConfig().encoder))
    with closing(Study.open(options.study, database_url=options.database)) as study:
        found = propose(seen_parts(study), encoder)
    if not found.size:
        raise ConfigError(
            f"--size auto needs {FEWEST} boxes, or readings that looked at something more than "
            f"once; there are {found.count}. Choose a size, e.g. --size 224."
        )
    made[-1]["size"] = found.size
    return made, proposal_text(found)


def proposal_text(found: ViewProposal) -> str:
    """Return what a size goes by, and what it costs."""
    what = "boxes" if found.by_boxes else "longest visits of readings"
    length = "" if found.length_mm is None else f", {found.length_mm:.2g} mm"
    usual = RunConfig().size
    times = f"{cost(found.size, usual):.2g}"
    text = (
        f"Size {found.size} px: half of the {found.count} {what} are longer than "
        f"{found.share:.1%} of their image{length}. A step takes about "
        f"{times} times as long as at {usual} px, and its views take {times} times the memory."
    )
    more = " A larger size would be better, but the images do not have more pixels."
    return text + more * found.limited
