"""A folder of small grey images whose class can be seen: a bright disc, at left or right."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from safetensors.torch import save_file

from trainer.data.cache import load_grey, pixel_fingerprint
from trainer.encoders.nets import make_encoder, seeded_weights


@dataclass
class Radiographs:
    """Images, their table, and rows as they stand in it."""

    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.csv"

    def write_labels(self, *columns: str, delimiter: str = ",", encoding: str = "utf-8") -> Path:
        names = columns or tuple(self.rows[0])
        with self.labels.open("w", newline="", encoding=encoding) as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore", delimiter=delimiter)
            writer.writeheader()
            writer.writerows(self.rows)
        return self.labels

    def fingerprint(self, name: str) -> str:
        return pixel_fingerprint(load_grey(self.images / name))[:16]


def make_radiographs(
    folder: Path, count: int = 40, classes: tuple[str, ...] = ("left", "right"), seed: int = 0
) -> Radiographs:
    """Write images of several formats in subfolders; two images of each patient."""
    made = Radiographs(folder)
    rng = np.random.default_rng(seed)
    for number in range(count):
        patient = number // 2
        code = patient % len(classes)
        name = f"{'ab'[number % 2]}/{number:03d}{('.png', '.jpg')[number % 3 == 2]}"
        write_image(made.images / name, code / max(1, len(classes) - 1), rng, number % 4 == 0)
        row = {"image": name, "label": classes[code], "patient": f"P{patient:02d}"}
        made.rows.append(row)
    made.write_labels()
    return made


def write_image(path: Path, place: float, rng: np.random.Generator, deep: bool = False) -> None:
    """Write noise with a disc that lies between left (0) and right (1); 16 bit where deep."""
    grey = rng.integers(20, 90, (48, 40)).astype(np.float64)
    cv2.circle(grey, (8 + round(24 * place), 24), 6, 200.0, -1)
    grey += rng.normal(0, 12, grey.shape)
    pixels = np.clip(grey, 0, 255).astype(np.uint8)
    if deep and path.suffix == ".png":
        pixels = pixels.astype(np.uint16) * 16
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imencode(path.suffix, pixels)[1].tofile(path)


def save_encoder(path: Path, seed: int = 1, **metadata: str) -> Path:
    """Write an encoder of random weights, with metadata as a run writes them."""
    with seeded_weights(seed):
        net, _ = make_encoder("resnet18")
    path.parent.mkdir(parents=True, exist_ok=True)
    config = '{"size": 32, "encoder": "resnet18"}'
    save_file(net.state_dict(), path, {"encoder": "resnet18", "config": config, **metadata})
    return path
