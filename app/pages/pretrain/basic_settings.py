"""The few most important settings of a pre-training, their options, and presets."""

from collections.abc import Iterable
from typing import Any

from PySide6.QtWidgets import QDoubleSpinBox

from app.ui.fields import Field
from app.ui.text import tr
from app.workspace.measures import COMPUTED, MEASURES

OTHER_NET = "other"
"""Stands for an encoder that is typed by name."""
_OTHER_NET = (OTHER_NET, "Another, by name…")
OFFERED: dict[str, tuple[tuple[str, str], ...]] = {
    "method": (("byol", "BYOL"), ("simsiam", "SimSiam")),
    "pairs": (
        ("gzpt", "GzPT (gaze)"),
        ("mcgip", "McGIP (gaze)"),
        ("none", "None (plain)"),
        ("label", "Labels (upper bound)"),
    ),
    "measure": tuple((name, MEASURES[name]) for name in COMPUTED),
    "encoder": (
        *((name, name) for name in ("resnet18", "resnet34", "resnet50", "resnet101")),
        _OTHER_NET,
    ),
}
"""Choices and their words until the trainer has said what it offers; the first is the default."""
BY_RATE, BY_THRESHOLD = "most alike", "alike above"
PRESETS: dict[str, dict[str, Any]] = {
    "GzPT, as published": {
        "method": "byol",
        "pairs": "gzpt",
        "measure": "tima",
        "rule": BY_THRESHOLD,
        "amount": 0.95,
    },
    "McGIP, as published": {
        "method": "byol",
        "pairs": "mcgip",
        "measure": "moment",
        "rule": BY_THRESHOLD,
        "amount": 0.95,
    },
    "Gaze pairs of any cohort": {
        "method": "byol",
        "pairs": "gzpt",
        "measure": "auto",
        "rule": BY_RATE,
        "amount": 5,
    },
    "Plain baseline": {"method": "byol", "pairs": "none"},
    "Quick trial": {"method": "byol", "epochs": 5, "size": 64, "batch": 16},
}
NAMED_OPTIONS = ("epochs", "size", "batch")


def offered(name: str, choices: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return what a choice offers once the trainer has said which there are."""
    return (*choices, *((_OTHER_NET,) if name == "encoder" else ()))


def _choice(name: str, label: str) -> Field:
    choices = OFFERED[name]
    return Field(name, label, "choice", choices=choices, default=choices[0][0])


BASIC = (
    _choice("method", "Method"),
    _choice("pairs", "Pairs"),
    _choice("measure", "Similarity"),
    _choice("encoder", "Encoder"),
    Field(
        "rule", "Positive pairs", "choice", default=BY_RATE,
        choices=((BY_RATE, "The most similar"), (BY_THRESHOLD, "More similar than")),
    ),
    Field("amount", "", "float", default=5.0),
    Field("epochs", "Epochs", "int", low=1, high=10_000, default=100),
    Field("size", "Image size", "int", low=32, high=1024, step=32, unit=" px", default=128),
    Field("batch", "Batch", "int", low=2, high=4096, unit=" images", default=32),
)  # fmt: skip


def show_rule(amount: QDoubleSpinBox, *, by_rate: bool) -> None:
    """Ask for a share of the pairs, or for the similarity above which pairs are positive."""
    amount.setAccessibleName(tr("Share of the pairs") if by_rate else tr("Similarity above"))
    amount.setDecimals(1 if by_rate else 3)
    amount.setRange(*((0.1, 99.9) if by_rate else (-1, 1)))
    amount.setSuffix(tr(" % of pairs") if by_rate else "")
    amount.setSingleStep(1 if by_rate else 0.01)
    amount.setValue(5 if by_rate else 0.95)
