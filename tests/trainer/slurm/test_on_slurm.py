"""Scripts on a real SLURM of one machine: requeued trainings, parts and their merge."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from scipy import sparse

from tests import ROOT
from tests.trainer.runs.test_folder_runs import write_images
from tests.trainer.slurm.cluster import Cluster, cluster, wait_for, why_none

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(bool(why_none()), reason=why_none())]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


def script_of(folder: Path, *words: str) -> Path:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "slurm", *words],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return next(Path(w) for w in words if w.endswith((".sbatch", ".sh")))


def training(folder: Path, out: str, epochs: int, *more: str) -> list[str]:
    if not (folder / "images").exists():
        write_images(folder / "images", 8)
    return [
        "--images", "images", "--pairs", "label", "--size", "32", "--batch", "4",
        "--epochs", str(epochs), "--device", "cpu", "--method", "byol", "--out", out,
        "--set", "onnx=false", "--set", "precision=fp32", *more,
    ]  # fmt: skip


def steps_of(run: Path) -> int:
    path = run / "metrics.jsonl"
    rows = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return json.loads(rows[-1])["step"] if rows else 0


def stop_once(slurm: Cluster, job: str, run: Path, requeues: int) -> None:
    """Send what SLURM sends before a time limit, after a step beyond the last stop."""
    slurm.wait(job, lambda f: f["JobState"] == "RUNNING" and int(f["Restarts"]) == requeues)
    before = steps_of(run)
    wait_for(lambda: {} if steps_of(run) > before else None)
    slurm.run("scancel", "--signal=USR1", job)
    slurm.wait(job, lambda f: int(f["Restarts"]) == requeues + 1)


def same_weights(one: Path, other: Path) -> bool:
    left, right = (load_file(folder / "encoder.safetensors") for folder in (one, other))
    return left.keys() == right.keys() and all(left[k].equal(right[k]) for k in left)


def test_a_training_requeued_five_times_gives_the_weights_of_one_that_never_was(
    slurm: Cluster, tmp_path: Path
) -> None:
    words = training(tmp_path, "run", 40)
    script = script_of(tmp_path, "train", *words, "--cpus", "1", "--script", "job.sbatch")
    job = slurm.submit(tmp_path / script)
    for requeues in range(5):
        stop_once(slurm, job, tmp_path / "run", requeues)
    assert slurm.wait_end(job)["Restarts"] == "5"
    subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "train", *training(tmp_path, "straight", 40)],
        cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True, timeout=300,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert same_weights(tmp_path / "run", tmp_path / "straight")


def test_two_processes_are_stopped_together_and_go_on_to_the_same_weights(
    slurm: Cluster, tmp_path: Path
) -> None:
    options = ("--processes", "2", "--cpus", "1")
    more = ("--set", "norm=group", "--set", "accumulate=3")
    words = training(tmp_path, "run", 6, *more)
    script_of(tmp_path, "train", *words, *options, "--script", "two.sbatch")
    job = slurm.submit(tmp_path / "two.sbatch")
    stop_once(slurm, job, tmp_path / "run", 0)
    assert slurm.wait_end(job)["Restarts"] == "1"
    words = training(tmp_path, "straight", 6, *more)
    script_of(tmp_path, "train", *words, *options, "--script", "straight.sbatch")
    slurm.wait_end(slurm.submit(tmp_path / "straight.sbatch"))
    assert same_weights(tmp_path / "run", tmp_path / "straight")


def test_what_is_cancelled_or_fails_is_not_put_back(slurm: Cluster, tmp_path: Path) -> None:
    words = training(tmp_path, "run", 2000)
    script_of(tmp_path, "train", *words, "--cpus", "1", "--script", "job.sbatch")
    job = slurm.submit(tmp_path / "job.sbatch")
    wait_for(lambda: {} if steps_of(tmp_path / "run") > 0 else None)
    slurm.run("scancel", job)
    assert slurm.wait_end(job, "CANCELLED")["Restarts"] == "0"
    words = training(tmp_path, "none", 1, "--labels", "absent.csv")
    script_of(tmp_path, "train", *words, "--cpus", "1", "--script", "wrong.sbatch")
    ended = slurm.wait_end(slurm.submit(tmp_path / "wrong.sbatch"), "FAILED")
    assert (ended["Restarts"], ended["ExitCode"]) == ("0", "2:0")


def test_parts_of_an_array_are_merged_after_it_into_what_one_run_finds(
    slurm: Cluster, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "gaze").mkdir()
    for number in range(12):
        points = rng.uniform(0, 800, (30, 2)).round(1).tolist()
        (tmp_path / "gaze" / f"{number:02d}.json").write_text(json.dumps({"gaze": points}))
    words = ["--gaze", "gaze", "--measure", "dhash", "--top-k", "3"]
    script_of(tmp_path, "similarity", *words, "--graph", "all.npz", "--parts", "3", "--cpus", "1",
              "--script", "find.sh")  # fmt: skip
    done = subprocess.run(
        ["bash", "find.sh"], cwd=tmp_path, env=slurm.environment, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    merge = done.stdout.split()[-1]
    slurm.wait_end(merge)
    subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "similarity", *words, "--graph", "one.npz"],
        cwd=tmp_path, check=True, timeout=120, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    one, merged = (sparse.load_npz(tmp_path / n) for n in ("one.npz", "all.npz"))
    assert (one != merged).nnz == 0
    assert one.nnz == merged.nnz > 0
