"""What an encoder makes of a study's images, as one npz file."""

from pathlib import Path

import numpy as np
from sqlalchemy import select

from migrations.study.command_line import shown_progress
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.processes import as_typed
from migrations.study.schema import TrainingRun
from trainer.data.cohort import Cohort
from trainer.errors import CohortError
from trainer.probe.candidates import find_encoder
from trainer.probe.loading import load_weights
from trainer.probe.picture_features import features_of


def write_features(study: Study, cohort: Cohort, out: Path, encoder: str | None) -> list[Path]:
    """Write `features.npz`.

    It holds `features` (N, D) float32, `ids`, `names`, `sha256`, `labels` (N,) and `encoder`.

    Raises
    ------
    CohortError
        If no encoder is named and the study has none.
    ProbeError
        If neither a file nor a run is called as `encoder` says.
    """
    file = find_encoder(encoder, study)[1] if encoder else _newest(study)
    info = load_weights(file).info
    features = features_of(
        file, [m.presentation for m in cohort.members], progress=shown_progress("images")
    )
    path = out / "features.npz"
    with study.database.read() as session:
        called = names_of(session, "image")
    np.savez(
        path,
        features=features.astype(np.float32),
        ids=np.array([m.image_id for m in cohort.members]),
        names=np.array([called[m.image_id] for m in cohort.members]),
        sha256=np.array([m.sha256 for m in cohort.members]),
        labels=np.array([m.label or "" for m in cohort.members]),
        encoder=np.array(info.name),
        size=np.array(info.size),
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
            as_typed(
                f"{study.folder} has no encoder yet. Train one (python main.py train), or name a "
                "file with --encoder."
            )
        )
    return found
