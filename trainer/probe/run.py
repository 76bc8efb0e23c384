"""One comparison from files to figures: pixels, splits, features, probes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from trainer.data.splits import read_splits
from trainer.errors import ProbeError
from trainer.probe.budgets import possible_budgets
from trainer.probe.candidates import RAW, Candidate
from trainer.probe.evaluate import Outcome, Settings, evaluate
from trainer.probe.features import extract
from trainer.probe.finetune import finetune
from trainer.probe.inputs import Inputs, read_inputs
from trainer.probe.labelled import FloatArray, IntArray, LabelledSet
from trainer.probe.splits import Splits, column_split, file_splits, random_splits
from trainer.probe.training_overlap import TrainingOverlap, duplicates, training_overlaps

Stage = Callable[[str], Callable[[int, int], None]]
"""`stage(name)` announces a stage and returns what is told of done and total in it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes
    ----------
    data
        Labelled images.
    candidates
        Encoders and baselines.
    settings
        Budgets, probes, repeats, seed.
    splits
        A file of splits; None takes those of the images, or else draws some.
    transductive
        Whether an encoder may have seen test images.
    device
        To compute features on.
    """

    data: LabelledSet
    candidates: Sequence[Candidate]
    settings: Settings
    splits: Path | None
    transductive: bool
    device: torch.device


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out, and on whom."""

    data: LabelledSet
    splits: Splits
    settings: Settings
    overlaps: dict[str, TrainingOverlap]
    outcome: Outcome
    notes: tuple[str, ...]


def answer(question: Question, stage: Stage) -> Answer:
    """Compare the candidates.

    Raises
    ------
    ProbeError
        If images, labels, splits or encoders do not allow an honest comparison.
    """
    candidates = question.candidates
    if len(question.data.classes) < 2:
        raise ProbeError(
            f"All images have the label {question.data.classes[0]!r}; at least two classes are "
            "needed."
        )
    inputs = read_inputs(question.data.images, [c.view for c in candidates], stage("images"))
    data, notes = _joined(question.data, inputs.fingerprints)
    splits = _splits(data, question)
    budgets, left_out = possible_budgets(
        question.settings.budgets, min(len(p.train) for p in splits.parts), len(data.classes)
    )
    settings = replace(question.settings, budgets=budgets)
    overlaps = training_overlaps(candidates, inputs.fingerprints, splits.tested(), data,
                transductive=question.transductive)  # fmt: skip
    twice = max(duplicates(inputs.fingerprints, p.train, p.test) for p in splits.parts)
    if twice:
        notes += (f"{twice} test images have the same pixels as a training image.",)
    features = {c.name: extract(c, inputs.by_view[c.view], question.device,
                                stage(f"features of {c.name}")) for c in candidates}  # fmt: skip
    outcome = _evaluate(features, data, splits, settings, question, inputs, stage)
    return Answer(data, splits, settings, overlaps, outcome, (*data.notes, *notes, *left_out))


def _evaluate(
    features: dict[str, FloatArray],
    data: LabelledSet,
    splits: Splits,
    settings: Settings,
    question: Question,
    inputs: Inputs,
    stage: Stage,
) -> Outcome:
    by_name = {c.name: c for c in question.candidates}

    def tuned(name: str, train: IntArray, test: IntArray, seed: int) -> FloatArray:
        candidate = by_name[name]
        assert candidate.make is not None
        pixels = inputs.by_view[candidate.view]
        codes, classes = data.codes[train], len(data.classes)
        return finetune(
            candidate.make,
            pixels[train],
            codes,
            classes,
            pixels[test],
            question.device,
            seed,
            candidate.channels,
        )

    return evaluate(
        features,
        data,
        splits,
        settings,
        finetune=tuned,
        not_finetuned=(RAW,),
        baselines=[c.name for c in question.candidates if c.baseline],
        progress=stage("probes"),
    )


def _splits(data: LabelledSet, question: Question) -> Splits:
    if question.splits is not None:
        return file_splits(data, read_splits(question.splits), question.splits)
    carried = column_split(data)
    return carried or random_splits(data, question.settings.repeats, question.settings.seed)


def _joined(data: LabelledSet, fingerprints: Sequence[str]) -> tuple[LabelledSet, tuple[str, ...]]:
    """Return the images with those of equal pixels tied to one patient, so that none can leak.

    Splits that the user gives stay as they are; there, equal pixels on both sides are said.
    """
    if any(image.split for image in data.images):
        return data, ()
    first: dict[str, str] = {}
    known: dict[str, str] = {}
    for image, text in zip(data.images, fingerprints, strict=True):
        one = first.setdefault(text, image.patient)
        one, other = _root(known, one), _root(known, image.patient)
        if one != other:
            known[other] = one
    if not known:
        return data, ()
    images = tuple(replace(i, patient=_root(known, i.patient)) for i in data.images)
    note = (
        f"{len(known)} patients share images with identical pixels with others and are kept on "
        "one side of the split."
    )
    return replace(data, images=images), (note,)


def _root(known: dict[str, str], patient: str) -> str:
    while patient in known:
        patient = known[patient]
    return patient
