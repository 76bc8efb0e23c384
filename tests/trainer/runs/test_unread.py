"""A run that predicts pairs for unread images, from files to the encoder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.runs.test_folder_runs import write_images
from trainer.config.config import RunConfig
from trainer.encoders.nets import make_encoder, seeded_weights
from trainer.errors import ConfigError
from trainer.process.events import Metrics, Notice, RunFinished, StageStarted
from trainer.runs.folder_source import FolderSource
from trainer.runs.prepare import prepare
from trainer.runs.run import run_training
from trainer.runs.stages import Run

COUNT = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write images of two kinds, and an encoder as it is drawn, which tells them apart."""
    write_images(tmp_path / "images", COUNT)
    with seeded_weights(0):
        net, _ = make_encoder("resnet10")
    state = {k: v.contiguous() for k, v in net.state_dict().items()}
    save_file(state, tmp_path / "e.safetensors", {"encoder": "resnet10", "config": '{"size": 32}'})
    return tmp_path


def relation(folder: Path, kinds: np.ndarray) -> Path:
    """Write the similarity of gaze: each second image was read, and looked at by its kind."""
    matrix = 0.3 + 0.5 * (kinds[:, None] == kinds[None, :])
    noise = np.random.default_rng(1).normal(0, 0.02, matrix.shape)
    matrix = matrix + (noise + noise.T) / 2
    np.fill_diagonal(matrix, 1.0)
    path = folder / "relation.npz"
    read = np.arange(COUNT) % 4 < 2
    ids = np.array([f"{'ab'[k % 2]}/{k}.png" for k in range(COUNT)])
    np.savez(path, similarity=matrix, valid=read, ids=ids)
    return path


def prepared(folder: Path, path: Path, **changes):
    config = RunConfig(
        **{"size": 32, "batch": 8, "epochs": 1, "device": "cpu", "positive_rate": 0.3,
           "unread_encoder": str(folder / "e.safetensors"), **changes}
    )  # fmt: skip
    events: list = []
    source = FolderSource(folder / "images", runs=folder / "runs", relation=path)
    run = Run(source, config, events.append, lambda: False, out=folder / "out")
    return prepare(run).job, events


def test_unread_images_get_pairs_where_pictures_speak_for_gaze(folder: Path) -> None:
    kinds = np.arange(COUNT) % 2
    plain, _ = prepared(folder, relation(folder, kinds), unread_encoder="")
    job, events = prepared(folder, relation(folder, kinds))
    table, before = job.policy.related.table.numpy(), plain.policy.related.table.numpy()
    assert before.any(axis=1).sum() == COUNT / 2
    assert table.any(axis=1).sum() > 0.9 * COUNT
    names = [job.policy.hash(), plain.policy.hash()]
    assert names[0] != names[1]  # a run without them is not gone on with
    assert any(isinstance(e, StageStarted) and "30 of 60 images" in e.message for e in events)


def test_no_better_than_chance_is_said_and_makes_no_pair(folder: Path) -> None:
    kinds = np.random.default_rng(5).integers(0, 2, COUNT)
    path = relation(folder, kinds)
    job, events = prepared(folder, path)
    plain, _ = prepared(folder, path, unread_encoder="")
    assert job.policy.hash() == plain.policy.hash()
    assert any(isinstance(e, Notice) and "no better than chance" in e.message for e in events)


def test_a_relation_of_the_nearest_alone_is_refused(folder: Path) -> None:
    from scipy import sparse

    kinds = np.arange(COUNT) % 2
    with np.load(relation(folder, kinds)) as file:
        graph = sparse.csr_array(np.where(file["similarity"] > 0.5, file["similarity"], 0))
    path = folder / "graph.npz"
    sparse.save_npz(path, sparse.csr_matrix(graph))
    with pytest.raises(ConfigError, match="similarity of all pairs"):
        prepared(folder, path)


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_encoder")
def test_such_a_run_stops_and_goes_on_bit_for_bit_and_its_encoder_loads_strictly(
    folder: Path,
) -> None:
    path = relation(folder, np.arange(COUNT) % 2)
    config = RunConfig(
        size=32, batch=8, epochs=1, device="cpu", positive_rate=0.3, onnx=False,
        encoder="resnet18", unread_encoder=str(folder / "e.safetensors"),
    )  # fmt: skip
    found = []
    for name, most in (("straight", 99), ("broken", 3)):
        steps: list = []
        keep = lambda e, to=steps: to.append(e) if isinstance(e, Metrics) else None  # noqa: E731
        for stop in (lambda to=steps, most=most: len(to) >= most, lambda: False):
            source = FolderSource(folder / "images", runs=folder / name, relation=path)
            ended = run_training(Run(source, config, keep, stop, out=folder / name / "out"))
            if isinstance(ended, RunFinished):
                break
            assert 0 < ended.step < 7
        found.append(load_file(ended.encoder))
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())
    net, _ = make_encoder("resnet18")
    net.load_state_dict(found[1], strict=True)
