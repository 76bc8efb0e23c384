"""A study of many readings, written as rows: enough for the workspace, none of it recorded."""

from pathlib import Path

import numpy as np
from PIL import Image as PilImage

from devices.gaze.geometry import ScreenGeometry
from migrations.study.folder import Study
from migrations.study.names import names_of, resolve
from migrations.study.schema import (
    Calibration,
    CaseImage,
    Fixation,
    Image,
    Reader,
    Reading,
    Session,
    SimilarityRun,
    StudyCase,
    TrainingRun,
    new_id,
)
from migrations.study.settings import StudySettings

SIZE = (320, 240)


def make_study(folder: Path, cases: int, readers: int = 1, *, pictures: bool = True) -> Study:
    """Make a study in which case k has the label of k modulo 3."""
    study = Study.create(folder, StudySettings(name="Cohort"))
    generator = np.random.default_rng(0)
    with study.database.write() as rows:
        reader_ids = []
        for r in range(readers):
            reader = Reader(id=new_id(), pseudonym=f"R{r + 1}")
            rows.add(reader)
            reader_ids.append(reader.id)
        rows.flush()
        sessions = [_session(rows, reader_id) for reader_id in reader_ids]
        rows.flush()
        for k in range(cases):
            image_id = _case(rows, k)
            rows.flush()
            for reader_id, session_id in zip(reader_ids, sessions, strict=True):
                _reading(rows, k, image_id, reader_id, session_id, generator)
            if pictures:
                _picture(study, image_id, k)
    return study


def case_called(study: Study, stored: str) -> str:
    """Return what the case of a stored name is called."""
    with study.database.read() as rows:
        return names_of(rows, "case")[resolve(rows, "case", stored)]


def add_similarity(study: Study, measure: str = "tima", seed: int = 0) -> str:
    """Store a relation in which images of one class are alike; return its id."""
    with study.database.read() as session:
        ids = [row.id for row in session.query(Image).order_by(Image.import_number)]
    n = len(ids)
    noise = np.random.default_rng(seed).random((n, n)) * 0.3
    same = np.equal.outer(np.arange(n) % 3, np.arange(n) % 3)
    matrix = np.where(same, 0.7, 0.1) + (noise + noise.T) / 2
    np.fill_diagonal(matrix, 1.0)
    valid = np.ones((n, n), bool)
    valid[0, 1] = valid[1, 0] = False
    run_id = new_id()
    path = study.cache / "similarity" / f"{run_id}.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, similarity=matrix, valid=valid, ids=np.array(ids))
    row = SimilarityRun(
        id=run_id, measure=measure, parameters={}, cohort_fingerprint="f", image_count=n,
        valid_share=1.0, matrix_path=path.relative_to(study.folder).as_posix(), seconds=1.0,
    )  # fmt: skip
    with study.database.write() as session:
        session.add(row)
    return run_id


def add_run(study: Study, name: str, **config: object) -> str:
    """Store a finished run with curves, an encoder's place and features by class."""
    folder = study.runs / name
    folder.mkdir(parents=True)
    lines = [f'{{"step": {k}, "loss": {2 / (k + 1)}, "feature_spread": 0.8}}' for k in range(30)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "encoder.safetensors").write_bytes(b"weights")
    with study.database.read() as session:
        ids = [row.id for row in session.query(Image).order_by(Image.import_number)]
    generator = np.random.default_rng(1)
    centres = np.eye(3, 16)[np.arange(len(ids)) % 3]
    features = centres + 0.2 * generator.standard_normal((len(ids), 16))
    names = np.array([f"{i}/presentation.png" for i in ids])
    np.savez(folder / "features.npz", features=features.astype(np.float32), names=names)
    run_id = new_id()
    stored = f"runs/{name}"
    row = TrainingRun(
        id=run_id, name=name, config={"method": "byol", "epochs": 4, **config}, state="finished",
        cohort_fingerprint="f", metrics_path=f"{stored}/metrics.jsonl",
        encoder_path=f"{stored}/encoder.safetensors",
        details={"loss_last": 0.1, "positive_rate": 0.05, "images": len(ids), "steps": 30,
                 "training_seconds": 60.0},
    )  # fmt: skip
    with study.database.write() as session:
        session.add(row)
    return run_id


def _session(rows, reader_id: str) -> str:
    session = Session(
        id=new_id(), reader_id=reader_id, station="s", software_version="0",
        started_utc="2026-01-01T00:00:00Z", ended_utc="2026-01-01T01:00:00Z",
        zero_utc="2026-01-01T00:00:00Z", tracker_id="t",
        tracker_kind="lsl", tracker_model="m", tracker_serial="", tracker_rate_hz=250.0,
        screen=ScreenGeometry(1000, 600, 500, 300).as_dict(),
        screen_width_mm=500, screen_height_mm=300, refresh_hz=60, distance_mm=650,
        distance_source="taped", case_order=[],
    )  # fmt: skip
    rows.add(session)
    rows.flush()
    rows.add(
        Calibration(
            session_id=session.id,
            kind="validation",
            status="success",
            started_us=0,
            ended_us=1,
            points=[],
            accuracy_deg=0.6,
        )
    )
    return session.id


def _case(rows, k: int) -> str:
    image = Image(
        id=new_id(), sha256=f"{k:064x}", rows=SIZE[1], columns=SIZE[0], bits=8,
        photometric="MONOCHROME2", source_format="png", source_group=f"g{k // 2}",
        import_number=k + 1, label=("normal", "smooth", "spiculated")[k % 3], burned_in="no",
    )  # fmt: skip
    case = StudyCase(id=new_id(), name=f"Case {k + 1:03d}", position=k)
    rows.add_all([image, case])
    rows.flush()
    rows.add(CaseImage(case_id=case.id, image_id=image.id, tile=0))
    rows.info.setdefault("cases", {})[k] = case.id
    return image.id


def _reading(rows, k, image_id, reader_id, session_id, generator) -> None:
    bad = k % 10 == 9
    reading = Reading(
        id=new_id(), session_id=session_id, case_id=rows.info["cases"][k], reader_id=reader_id,
        state="finished", started_us=k * 10_000_000, ended_us=k * 10_000_000 + 8_000_000,
        sample_count=2000, loss=0.4 if bad else float(generator.random() * 0.1),
        verdict="bad" if bad else "good",
        verdict_reasons=["lost 40 % of the samples"] if bad else [],
    )  # fmt: skip
    rows.add(reading)
    rows.flush()
    for f in range(int(generator.integers(4, 12))):
        x, y = generator.normal((160 + 60 * (k % 3 - 1), 120), 25)
        rows.add(
            Fixation(
                reading_id=reading.id,
                image_id=image_id,
                start_us=f * 300_000,
                duration_us=200_000,
                x_image=float(x),
                y_image=float(y),
                x_deg=0,
                y_deg=0,
                dispersion_deg=0.3,
                sample_count=50,
                algorithm="velocity",
                parameters_hash="0",
            )
        )


def _picture(study: Study, image_id: str, k: int) -> None:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    centre = 160 + 60 * (k % 3 - 1)
    grey = 40 + 150 * np.exp(-((x - centre) ** 2 + (y - 120) ** 2) / 3000)
    path = study.presentation(image_id)
    path.parent.mkdir(parents=True)
    PilImage.fromarray(grey.astype(np.uint8)).save(path)
