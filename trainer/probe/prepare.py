"""From the options of the command to what is asked."""

import argparse

from migrations.study.folder import Study
from trainer.data.splits import read_splits
from trainer.errors import ProbeError
from trainer.probe.budgets import parse_budgets
from trainer.probe.candidates import distinct_names, find_encoder, make_candidates
from trainer.probe.evaluate import PROBES, Settings
from trainer.probe.labelled import LabelledSet
from trainer.probe.labelled_folder import images_by_class_folder, labelled_folder
from trainer.probe.labelled_study import labelled_study
from trainer.probe.run import Question
from trainer.probe.splits import named_images
from trainer.process.device import choose_device

SMALLEST, LARGEST = 16, 2048


def prepare(options: argparse.Namespace, study: Study | None) -> Question:
    """Return what the options ask.

    Raises
    ------
    ProbeError
        Naming the option, file or value that cannot be used.
    """
    budgets, probes = parse_budgets(options.label_budget), _probes(options.probes)
    if options.size is not None and not SMALLEST <= options.size <= LARGEST:
        raise ProbeError(
            f"--size {options.size}: it must lie between {SMALLEST} and {LARGEST} pixels."
        )
    files = distinct_names([find_encoder(word, study) for word in options.encoder])
    return Question(
        data=_data(options, study),
        candidates=make_candidates(files, options.imagenet, options.size, options.seed),
        settings=Settings(budgets, probes, options.repeats, options.seed),
        splits=options.splits,
        transductive=options.transductive,
        device=choose_device(options.device),
    )


def _probes(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(w.strip() for w in text.split(",") if w.strip()))
    unknown = [word for word in words if word not in PROBES]
    if unknown or not words:
        raise ProbeError(f"--probes {text}: choose from {', '.join(PROBES)}, separated by commas.")
    return words


def _data(options: argparse.Namespace, study: Study | None) -> LabelledSet:
    if study is not None:
        return labelled_study(study)
    if options.labels is not None:
        return labelled_folder(options.images, options.labels)
    return images_by_class_folder(options.images, named_images(read_splits(options.splits)))
