"""Two processes (gloo) learn what one process learns from the same global batch."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests import ROOT
from tests.trainer.process import two_processes
from tests.trainer.runs.test_folder_runs import write_images
from trainer.config.methods import METHODS

TORCHRUN = (
    sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
)  # fmt: skip


def environment() -> dict[str, str]:
    return {
        **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "MASTER_ADDR": "127.0.0.1",
    }  # fmt: skip


def words_of(folder: Path) -> list[str]:
    return [
        "main.py", "train", "--images", str(folder / "images"), "--pairs", "label",
        "--size", "32", "--batch", "4", "--epochs", "1", "--device", "cpu", "--method", "simclr",
        "--set", "norm=group", "--set", "onnx=false", "--set", "precision=fp32",
        "--set", "optimiser=sgd",
    ]  # fmt: skip


def assert_near(one: Path, other: Path) -> None:
    left, right = (load_file(folder / "encoder.safetensors") for folder in (one, other))
    for key, value in left.items():
        torch.testing.assert_close(right[key], value, atol=1e-4, rtol=1e-3)


def launch(*words: str) -> None:
    done = subprocess.run(
        words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path, monkeypatch) -> None:
    from trainer.encoders import nets

    monkeypatch.setitem(nets._MAKERS, "resnet18", two_processes.Tiny)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    launch(*TORCHRUN, str(ROOT / "tests/trainer/process/two_processes.py"), str(tmp_path / "two"))
    two_processes.main(tmp_path / "one")
    unread = [f"{method}-unread" for method, spec in METHODS.items() if spec.paths]
    for method in [*METHODS, *unread]:
        one, two = (torch.load(tmp_path / n / f"{method}.pt") for n in ("one", "two"))
        for key, value in one.items():
            near = torch.allclose(two[key].double(), value.double(), atol=2e-4, rtol=1e-3)
            assert near, f"{method}: {key}"
    for folder in ("one", "two"):  # stopped halfway to an optimiser step, with a sum of its own
        straight, stopped = (torch.load(tmp_path / folder / f"{n}.pt") for n in ("byol", "stopped"))
        assert all(torch.equal(value, stopped[key]) for key, value in straight.items()), folder


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False], ids=["a cache of its own", "one cache"])
def test_two_machines_learn_what_one_does(own: bool, tmp_path: Path) -> None:
    write_images(tmp_path / "images", 8)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for node in (0, 1):
        words = [
            *TORCHRUN[:3], "--nnodes", "2", "--node-rank", str(node), "--nproc-per-node", "1",
            "--master-addr", "127.0.0.1", "--master-port", str(port), *words_of(tmp_path),
            "--out", str(tmp_path / "two"),
            "--cache", str(tmp_path / (f"cache {node}" if own else "cache")),
        ]  # fmt: skip
        started.append(
            subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    for process in started:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said[-3000:]
    launch(sys.executable, *words_of(tmp_path), "--out", str(tmp_path / "one"))
    assert_near(tmp_path / "one", tmp_path / "two")
    caches = sorted(tmp_path.glob("cache*/images-*.npy"))
    assert len(caches) == (2 if own else 1)
    assert len({path.read_bytes() for path in caches}) == 1


@pytest.mark.slow
def test_torchrun_runs_the_command_from_files_to_the_encoder(tmp_path: Path) -> None:
    write_images(tmp_path / "images", 8)
    launch(*TORCHRUN, *words_of(tmp_path), "--out", str(tmp_path / "two"))
    launch(sys.executable, *words_of(tmp_path), "--out", str(tmp_path / "one"))
    assert_near(tmp_path / "one", tmp_path / "two")
