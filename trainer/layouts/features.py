"""What an encoder makes of a study's images, as one npz file."""

from pathlib import Path

import numpy as np
import torch
from sqlalchemy import select

from migrations.schema import TrainingRun
from migrations.study import Study
from trainer.cohort import Cohort
from trainer.encoders import to_input
from trainer.errors import CohortError
from trainer.probe.inputs import squashed
from trainer.probe.loading import load_weights
from trainer.probe.pixels import read_grey

BATCH, DEFAULT_SIZE = 32, 224


def write_features(study: Study, cohort: Cohort, out: Path, encoder: Path | None) -> list[Path]:
    """Write `features.npz`: `features` (N, D) float32, `ids`, `sha256`, `labels` (N,), `encoder`.

    Raises
    ------
    CohortError
        If no encoder is named and the study has none.
    """
    file = encoder or _newest(study)
    weights = load_weights(file)
    net, size = weights.net().eval(), weights.size or DEFAULT_SIZE
    parts = []
    with torch.inference_mode():
        for first in range(0, len(cohort.members), BATCH):
            chosen = cohort.members[first : first + BATCH]
            grey = np.stack([squashed(read_grey(m.presentation), size) for m in chosen])
            view = torch.from_numpy(grey)[:, None].float().div_(255)
            parts.append(net(to_input(view)).float().numpy())
    path = out / "features.npz"
    np.savez(
        path,
        features=np.concatenate(parts),
        ids=np.array([m.image_id for m in cohort.members]),
        sha256=np.array([m.sha256 for m in cohort.members]),
        labels=np.array([m.label or "" for m in cohort.members]),
        encoder=np.array(weights.encoder),
        size=np.array(size),
    )
    return [path]


def _newest(study: Study) -> Path:
    query = (
        select(TrainingRun.encoder_path)
        .where(TrainingRun.encoder_path.is_not(None))
        .order_by(TrainingRun.id.desc())
    )
    with study.database.read() as session:
        paths = [study.folder / path for path in session.scalars(query) if path]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise CohortError(
            f"{study.folder} has no encoder yet. Pre-train one (python main.py train), or name a "
            "file with --encoder."
        )
    return found
