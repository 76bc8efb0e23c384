"""The bar of real chest X-rays: patients stay whole, and pre-training sees few labels."""

import csv
from pathlib import Path

from bench.chest_bar import Image, write_tables


def test_no_patient_is_on_both_sides_and_a_quarter_of_the_labels_is_told(tmp_path: Path) -> None:
    images = [Image(f"{c}/{p:03d}_{k}.png", c, f"{p:03d}") for p, c, k in
              ((p, "ab"[p % 2], k) for p in range(60) for k in range(1 + p % 3))]  # fmt: skip
    rows = []
    for path in write_tables(images, tmp_path, seed=0):
        with path.open(encoding="utf-8") as file:
            rows.append(list(csv.DictReader(file)))
    whole, quarter = rows
    assert all(row["label"] for row in whole)
    assert {r["patient"] for r in whole if r["split"] == "test"}.isdisjoint(
        r["patient"] for r in whole if r["split"] == "train"
    )
    trained = [r for r in quarter if r["split"] == "train"]
    assert not any(r["label"] for r in quarter if r["split"] == "test")
    told = [r for r in trained if r["label"]]
    assert len(trained) / 4 <= len(told) < len(trained) / 4 + 3
    assert not {r["patient"] for r in told} & {r["patient"] for r in trained if not r["label"]}
