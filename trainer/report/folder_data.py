"""What the report shows of a plain folder of images, its labels and runs; no study is needed."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from devices.gaze.pair_rates import pairs_among, share_of_valid
from migrations.study.schema import SimilarityRun, TrainingRun
from trainer.config.layers import make_config
from trainer.data.cohort import Cohort
from trainer.errors import ReportError
from trainer.pairs.choose import LARGEST_MATRIX
from trainer.pairs.from_file import dense_of, edges_of, rows_of
from trainer.pairs.relation_file import load_relation_file
from trainer.report.data import ReportData, RunFigures, SimilarityFigures
from trainer.report.participation import transductive
from trainer.report.probe_sections import read_probes
from trainer.report.run_files import run_figures
from trainer.runs.folder_runs import read_run
from trainer.runs.folder_source import FolderSource


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files of a cohort without a study, as `train --images` and `probe --images` take them.

    Without `labels` the parent folder of an image is its label; without `splits` those of the
    labels hold, else those of the newest run.
    """

    images: Path
    labels: Path | None = None
    splits: Path | None = None
    relation: Path | None = None


def gather_folder(
    files: FolderFiles,
    run_folders: Sequence[Path],
    cancelled: Callable[[], bool] = lambda: False,
    *,
    probes: Sequence[Path] = (),
    share: bool = False,
) -> ReportData:
    """Read everything; images that are shared are called by number, else by name.

    Raises
    ------
    ReportError
        If a folder is no run.
    ImageFolderError
        If images, labels, splits or relation do not go together.
    """
    problems: list[str] = []
    runs = [_run(folder, problems) for folder in run_folders]
    cohort = _cohort(files, runs, cancelled)
    names = [m.image_id for m in cohort.members]
    called = (f"#{k}" if share else name for k, name in enumerate(names, start=1))
    return ReportData(
        name=files.images.resolve().name,
        question="",
        hint=f"--images {files.images.name}",
        cohort=cohort,
        image_names=dict(zip(names, called, strict=True)),
        similarity=_similarity(files.relation, names, runs, problems),
        runs=runs,
        problems=problems,
        probes=read_probes(probes, problems),
        share=share,
    )


def _run(folder: Path, problems: list[str]) -> RunFigures:
    row = read_run(folder)
    if not row:
        raise ReportError(
            f"{folder} is not a run on a folder of images (it has no run.json). Name the folder "
            "that `train --out` created; for the runs of a study, use --study."
        )
    run = TrainingRun(
        id=row["id"],
        name=folder.resolve().name,
        config={},
        state=row["state"],
        cohort_fingerprint=row["identity"]["cohort"],
        metrics_path="metrics.jsonl",
        encoder_path=row.get("encoder_path"),
        started_utc=row["started_utc"],
        ended_utc=row.get("ended_utc"),
        message=row.get("message"),
        details=row.get("details", {}),
    )
    found = run_figures(run, folder, problems)
    for name in ("measure", "measure_parameters"):  # a relation file stood in for them
        found.config.get("config", {}).pop(name, None)
    return found


def _cohort(
    files: FolderFiles, runs: Sequence[RunFigures], cancelled: Callable[[], bool]
) -> Cohort:
    """Return the images with labels and splits, as the newest run had them."""
    newest = runs[-1] if runs else None
    splits = files.splits
    if splits is None and newest is not None and newest.held_back:
        splits = newest.folder / "splits.json"
    everything = newest is not None and transductive(newest)
    config = make_config({"pairs": "none", "transductive": everything})
    with tempfile.TemporaryDirectory() as cache:
        source = FolderSource(
            files.images, labels=files.labels, split_file=splits, cache_folder=Path(cache)
        )
        return source.load(config, lambda done, total: None, cancelled)


def _similarity(
    path: Path | None, names: Sequence[str], runs: Sequence[RunFigures], problems: list[str]
) -> SimilarityFigures | None:
    if path is None:
        return None
    if len(names) > LARGEST_MATRIX:
        problems.append(f"{path.name} relates {len(names)} images, which is too many to show here.")
        return None
    loaded, comparable = load_relation_file(path), None
    rows = rows_of(loaded, path, names)
    ids = tuple(name for name in names if name in rows)
    index = np.array([rows[name] for name in ids])
    if isinstance(loaded.values, np.ndarray):
        matrix, valid = dense_of(loaded, index)
    else:  # of a pair that a graph does not store it is known that it is less alike, no more
        edges = edges_of(loaded, index)
        comparable = edges.comparable
        matrix, valid = np.zeros((len(ids), len(ids))), np.zeros((len(ids), len(ids)), bool)
        matrix[edges.rows, edges.columns] = edges.values
        valid[edges.rows, edges.columns] = True
    np.fill_diagonal(valid, val=False)
    thresholds = [r.run.details.get("threshold") for r in runs]
    threshold = next((t for t in reversed(thresholds) if t is not None), None)
    parameters = {"from file": path.name}
    if not isinstance(loaded.values, np.ndarray):
        parameters["rates"] = "pairs that are not in the graph count as not positive"
    run = SimilarityRun(
        measure="gaze", parameters=parameters, image_count=len(ids), threshold=threshold, details={}
    )
    found = SimilarityFigures(run, threshold, matrix, valid, ids, comparable)
    run.valid_share = share_of_valid(found.valid_pairs, pairs_among(len(ids)))
    return found
