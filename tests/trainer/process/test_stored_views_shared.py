"""Views of stored values: the same whoever makes them, and after a kill."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from migrations.study.folder import Study
from tests import ROOT
from tests.trainer.process.test_distributed import TORCHRUN, assert_near, environment, launch
from tests.trainer.runs.test_folder_runs import write_images
from tests.trainer.runs.test_run import train
from tests.trainer.runs.test_stored_views import STORED, deep, job_of, make_deep, texts  # noqa: F401
from trainer.pretrain.batches import make_batch
from trainer.process import distributed
from trainer.process.events import RunFinished
from trainer.runs.folder_source import FolderSource
from trainer.runs.prepare import prepare
from trainer.runs.stages import Run


@pytest.mark.usefixtures("tiny_encoder")
def test_the_shares_of_two_processes_are_the_batch_of_one(deep: Study, monkeypatch) -> None:  # noqa: F811
    job = job_of(deep, replace(STORED, batch=4))
    whole = make_batch(job, 1)
    halves = []
    for share in (slice(0, 2), slice(2, 4)):
        monkeypatch.setattr(distributed, "own_share", lambda _batch, share=share: share)
        halves.append(make_batch(job, 1))
    for name in ("view_1", "view_2"):
        found = torch.cat([getattr(half, name) for half in halves])
        assert torch.equal(found, getattr(whole, name))
        assert float(found.std()) > 0
    assert all(torch.equal(half.ids, whole.ids) for half in halves)


@pytest.mark.usefixtures("tiny_encoder")
def test_threads_that_make_batches_change_no_bit(tmp_path: Path) -> None:
    found = []
    for workers in (0, 3):
        study = make_deep(tmp_path / str(workers))
        ended, _ = train(study, replace(STORED, workers=workers))
        assert isinstance(ended, RunFinished)
        found.append(load_file(ended.encoder))
        study.close()
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())


@pytest.mark.usefixtures("tiny_encoder")
def test_a_folder_of_files_has_no_stored_values_and_that_is_said(tmp_path: Path) -> None:
    write_images(tmp_path / "images", 8)
    events: list = []
    source = FolderSource(tmp_path / "images", runs=tmp_path)
    config = replace(STORED, pairs="label")
    assert prepare(Run(source, config, events.append, lambda: False)).job is not None
    assert any("depth is stored, which has no effect" in text for text in texts(events))


def words_of(study: Path, name: str) -> list[str]:
    return [
        "main.py", "train", "--study", str(study), "--name", name, "--pairs", "none",
        "--encoder", "resnet10", "--size", "32", "--batch", "4", "--epochs", "3",
        "--device", "cpu", "--set", "depth=stored", "--set", "window_jitter=0.3",
        "--set", "norm=group", "--set", "onnx=false", "--set", "precision=fp32",
        "--set", "optimiser=sgd", "--set", "lr=0.01", "--set", "workers=2",
        "--set", "checkpoint_every=1", "--set", "test_share=0.0",
    ]  # fmt: skip


def kill_after_a_checkpoint(words: list[str], runs: Path, name: str) -> None:
    """Start a training and end it by SIGKILL once it has kept a checkpoint."""
    started = subprocess.Popen(
        [sys.executable, *words, "--events", "json"], cwd=ROOT, env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    for line in started.stdout:
        if '"metrics"' in line and any(runs.glob(f"*{name}/checkpoint-*.pt")):
            started.send_signal(signal.SIGKILL)
            break
    started.stdout.close()
    assert started.wait(timeout=300) == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_two_processes_and_a_killed_run_learn_what_one_does(tmp_path: Path) -> None:
    study = make_deep(tmp_path / "study")
    study.close()
    folder, runs = tmp_path / "study", tmp_path / "study" / "runs"
    launch(sys.executable, *words_of(folder, "one"))
    launch(*TORCHRUN, *words_of(folder, "two"))
    kill_after_a_checkpoint(words_of(folder, "killed"), runs, "killed")
    assert not any(runs.glob("*killed/encoder.safetensors"))
    launch(sys.executable, *words_of(folder, "killed"))
    one, two, killed = (next(runs.glob(f"*-{name}")) for name in ("one", "two", "killed"))
    assert_near(one, two)
    straight, resumed = (load_file(run / "encoder.safetensors") for run in (one, killed))
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[key]) for key, value in straight.items())
    assert len(list((folder / "cache").glob("stored-*.npy"))) == 1
