"""Small files of other systems' gaze, written by their documented formats."""

import json
from pathlib import Path

import numpy as np
from PIL import Image as PilImage

from app.interchange.import_reports import FileReport
from app.interchange.importing import import_gaze
from app.interchange.matching import Matcher
from app.interchange.options import ImportOptions
from migrations.study.folder import Study

WIDTH, HEIGHT = 120, 200


def picture(path: Path, seed: int, width: int = WIDTH, height: int = HEIGHT) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    PilImage.fromarray(pixels).save(path, "PNG")
    return path


def imported(
    study: Study, name: str, paths: list[Path], matcher: Matcher, **options
) -> list[FileReport]:
    return list(import_gaze(study, name, paths, ImportOptions(**options), matcher))


def lines(path: Path, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def gaze_json(path: Path, gaze, image: str, gt: int = 1) -> Path:
    found = {"gaze": gaze, "img": image, "case": image.split(".")[0][:-1], "gt": gt}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return path
