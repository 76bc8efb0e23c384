"""What the trainer says about an encoder before it is trained, in words."""

import json
from dataclasses import dataclass
from typing import Self

from app.ui.text import tr, trn
from app.workspace.estimate import NetFigures


@dataclass(frozen=True, slots=True)
class EncoderTold:
    """The trainer's answer to a question about an encoder.

    Attributes
    ----------
    problem
        Why it cannot be trained, in words; empty if it can.
    net
        Parameters and activations; None if there is a problem.
    blocks
        How many may learn.
    made_for, view
        Side of the views that it is made for, and height and width of those set, pixels.
    left_out
        Tensors of the weights file that are not part of the encoder.
    """

    problem: str
    net: NetFigures | None = None
    blocks: int = 0
    made_for: int = 0
    view: tuple[int, int] = (0, 0)
    left_out: int = 0

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the output of `python main.py train --describe-encoder`.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        told = json.loads(text)
        if told["problem"]:
            return cls(str(told["problem"]))
        height, width = told["view"]
        net = NetFigures(int(told["parameters"]), int(told["learning"]), int(told["activations"]))
        return cls("", net, int(told["blocks"]), int(told["made_for"]),
                   (int(height), int(width)), int(told["left_out"]))  # fmt: skip

    def text(self, last_blocks: int) -> str:
        """Return it in words, if this many of the last blocks learn (0: all)."""
        if self.net is None:
            return self.problem
        whole, learning = (_millions(n) for n in (self.net.parameters, self.net.learning))
        if last_blocks:
            said = trn(
                "{whole} million parameters; the last of {blocks} blocks learns, with {learning} "
                "million of them.",
                "{whole} million parameters; the last {count} of {blocks} blocks learn, with "
                "{learning} million of them.",
                last_blocks, whole=whole, learning=learning, blocks=self.blocks,
            )  # fmt: skip
        else:
            said = tr("{whole} million parameters; all {blocks} blocks learn.",
                      whole=whole, blocks=self.blocks)  # fmt: skip
        if self.made_for not in self.view:
            said += " " + tr("It is made for images of {made_for} px; here they have {height} px.",
                             made_for=self.made_for, height=self.view[0])  # fmt: skip
        if self.left_out:
            said += " " + trn(
                "{count} tensor of the file is not part of the encoder and is not used.",
                "{count} tensors of the file are not part of the encoder and are not used.",
                self.left_out,
            )
        return said


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f}"
