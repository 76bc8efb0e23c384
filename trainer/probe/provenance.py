"""What it takes to repeat a probe: settings, versions, hashes, and what encoders have seen."""

import argparse
import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from migrations.study.database import foveate_version
from migrations.study.schema import utc_now
from trainer.probe import finetune, intervals, knn, linear
from trainer.probe.run import Answer, Question
from trainer.probe.splits import splits_as_json
from trainer.probe.validation import FOLDS

_PACKAGES = ("numpy", "scipy", "scikit-learn", "opencv-python-headless", "torch", "torchvision")


def provenance_of(
    question: Question, answer: Answer, options: argparse.Namespace
) -> dict[str, Any]:
    """Return JSON values for `about.json`."""
    settings = answer.settings
    splits = splits_as_json(answer.data, answer.splits, settings.seed)
    return {
        "made_utc": utc_now(),
        "foveate": foveate_version(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": str(question.device),
        "images": len(answer.data.images),
        "patients": len({image.patient for image in answer.data.images}),
        "classes": list(answer.data.classes),
        "labels_sha256": _labels_hash(answer),
        "labels_file": _hashed(options.labels),
        "splits": {
            "origin": answer.splits.origin,
            "fixed": answer.splits.fixed,
            "sha256": _sha256(splits),
            "train": len(answer.splits.parts[0].train),
            "test": len(answer.splits.parts[0].test),
        },
        "settings": {
            "budgets": list(settings.budgets),
            "probes": list(settings.probes),
            "repeats": settings.repeats,
            "seed": settings.seed,
            "transductive": question.transductive,
            "inner_folds": FOLDS,
            "linear_strengths": list(linear.STRENGTHS),
            "knn_neighbours": list(knn.NEIGHBOURS),
            "knn_temperature": knn.TEMPERATURE,
            "class_weight": "balanced",
            "bootstrap_samples": intervals.SAMPLES,
            "finetune": {
                "rate": finetune.RATE,
                "head_rate": finetune.HEAD_RATE,
                "weight_decay": finetune.DECAY,
                "batch": finetune.BATCH,
            },
        },
        "encoders": [
            {
                "name": c.name,
                "size": c.view[0],
                "view": list(c.view),
                "saw_test_images": answer.overlaps[c.name].text(),
                **c.facts,
            }
            for c in question.candidates
        ],
        "notes": list(answer.notes),
    }


def _labels_hash(answer: Answer) -> str:
    return _sha256([[i.name, i.label, i.patient, i.split] for i in answer.data.images])


def _hashed(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
