"""The command itself: torchrun with one process, kill -9 in the middle, resume, encode."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from gpu_checks.bench import ROOT, Bench
from gpu_checks.jobs import pixels_of, worst
from safetensors.torch import load_file

_LONGEST_S = 180


def check_command(bench: Bench) -> None:
    """Train by `torchrun`, and again with a kill in the middle; encode there and on the CPU."""
    command = _Command.of(bench)
    rows: dict[str, object] = {}
    began = time.perf_counter()
    launched = command.train("whole", "-m", "torch.distributed.run", "--standalone",
                             "--nproc-per-node", "1")  # fmt: skip
    rows["torchrun x1"] = [launched.returncode, round(time.perf_counter() - began, 1)]
    if launched.returncode:
        rows["torchrun said"] = _said(launched)
    rows["checkpoint before the kill"] = command.train_and_kill("killed")
    resumed = command.train("killed")
    rows["resumed"] = [resumed.returncode, "Continuing" in resumed.stdout]
    if resumed.returncode:
        rows["resume said"] = _said(resumed)
    ok = launched.returncode == 0 and rows["resumed"] == [0, True]
    if ok:
        one, two = (load_file(command.encoder(name)) for name in ("whole", "killed"))
        rows["weights differ by"] = worst(one, two)
    if launched.returncode == 0 and not bench.lacks(40):
        rows["encode: cuda against cpu"] = command.encoded_apart("whole")
    bench.say("command", ok, rows=rows)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr)[-800:]


@dataclass(frozen=True, slots=True)
class _Command:
    """`main.py` on a folder of images with labels."""

    bench: Bench
    images: Path
    words: tuple[str, ...]

    @classmethod
    def of(cls, bench: Bench) -> "_Command":
        count, size, batch, epochs = (24, 32, 8, 4) if bench.tiny else (96, 64, 32, 40)
        images, labels = bench.work / "images", bench.work / "labels.csv"
        images.mkdir(parents=True, exist_ok=True)
        rows = ["image,label"]
        for number, image in enumerate(pixels_of(count, 192).numpy()):
            cv2.imwrite(str(images / f"{number:04d}.png"), image)
            rows.append(f"{number:04d}.png,{number % 2}")
        labels.write_text("\n".join(rows) + "\n", encoding="utf-8")
        words = (
            "main.py", "train", "--images", str(images), "--pairs", "label", "--labels",
            str(labels), "--device", bench.device.type, "--set", "onnx=false", "--set",
            "checkpoint_every=2", "--size", str(size), "--batch", str(batch), "--epochs",
            str(epochs),
        )  # fmt: skip
        return cls(bench, images, words)

    def encoder(self, name: str) -> Path:
        return self.bench.work / name / "encoder.safetensors"

    def train(self, name: str, *launcher: str) -> subprocess.CompletedProcess[str]:
        return self._call(*launcher, *self.words, "--out", str(self.bench.work / name))

    def train_and_kill(self, name: str) -> bool:
        """Kill the run as soon as there is a checkpoint; return whether there was one."""
        folder = self.bench.work / name
        process = subprocess.Popen(
            [sys.executable, *self.words, "--out", str(folder)], cwd=ROOT, env=_environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 90
        while time.monotonic() < until and process.poll() is None:
            if any(folder.glob("checkpoint-*.pt")):
                break
            time.sleep(0.02)
        process.kill()
        process.wait()
        return any(folder.glob("checkpoint-*.pt"))

    def encoded_apart(self, name: str) -> float | str:
        """Return how far features on the device lie from those on the CPU."""
        features = []
        for device in dict.fromkeys((self.bench.device.type, "cpu")):
            out = self.bench.work / f"{device}.npz"
            done = self._call(
                "main.py", "encode", "--encoder", str(self.encoder(name)), "--images",
                str(self.images), "--out", str(out), "--device", device,
            )  # fmt: skip
            if done.returncode:
                return _said(done)
            features.append(np.load(out)["features"])
        return float(np.abs(features[0] - features[-1]).max())

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=_environment(), capture_output=True, text=True,
            timeout=_LONGEST_S,
        )  # fmt: skip


def _environment() -> dict[str, str]:
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
