"""The bar of real chest X-rays: pairs by a quarter of the labels, probed at 10, 48 and 100 labels.

    python bench/chest_bar.py FOLDER --out OUT [--epochs 20] [--size 64] [--encoder resnet18]

FOLDER has a subfolder a class, with files named PATIENT_NUMBER.png as ChestX-ray14 names them
(Wang and others, CVPR 2017). Patients are split by a seed: 30 % of them are tested. Pre-training
sees the images of the others, and the labels of so many of those patients as have a quarter of the
images.
The encoder must be above `raw-pixels` and `untrained` (trainer.probe). Nothing is downloaded.
"""

import argparse
import csv
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTED, LABELLED = 0.3, 0.25
BUDGETS = "10,48,100"


@dataclass(frozen=True, slots=True)
class Image:
    """A file below the folder, its class and its patient."""

    name: str
    label: str
    patient: str


def images_in(folder: Path) -> list[Image]:
    """Return the images of a folder, in order of names."""
    found = sorted(folder.glob("*/*.png"))
    return [Image(f"{p.parent.name}/{p.name}", p.parent.name, p.name.split("_")[0]) for p in found]


def write_tables(images: list[Image], out: Path, seed: int) -> tuple[Path, Path]:
    """Write the table for the probe, and that of pre-training with a quarter of the labels."""
    patients = sorted({i.patient for i in images})
    random.Random(seed).shuffle(patients)
    tested = set(patients[: int(TESTED * len(patients))])
    trained = [i for i in images if i.patient not in tested]
    known: set[str] = set()
    for patient in (p for p in patients if p not in tested):
        if sum(i.patient in known for i in trained) >= LABELLED * len(trained):
            break
        known.add(patient)
    count = sum(i.patient in known for i in trained)
    print(f"{len(trained)} images trained on, {count} of them with a label; "
          f"{len(images) - len(trained)} tested")  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    whole, quarter = out / "labels.csv", out / "quarter.csv"
    for path, shown in ((whole, set(patients)), (quarter, known)):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("image", "label", "patient", "split"))
            for i in images:
                split = "test" if i.patient in tested else "train"
                writer.writerow((i.name, i.label if i.patient in shown else "", i.patient, split))
    return whole, quarter


def main() -> None:
    """Train once, probe, and leave the probe's table on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    whole, quarter = write_tables(images_in(given.folder), given.out, given.seed)
    run = given.out / "run"
    said = [sys.executable, str(ROOT / "main.py")]
    subprocess.run(
        [*said, "train", "--images", given.folder, "--labels", quarter, "--pairs", "label",
         "--recipe", "radiograph", "--size", str(given.size), "--epochs", str(given.epochs),
         "--encoder", given.encoder, "--seed", str(given.seed), "--set", "onnx=false",
         "--out", run],
        check=True,
    )  # fmt: skip
    subprocess.run(
        [*said, "probe", "--images", given.folder, "--labels", whole, "--encoder", run,
         "--label-budget", BUDGETS, "--out", given.out / "probe"],
        check=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
