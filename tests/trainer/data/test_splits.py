"""Splits by patient: whole patients, near the share, the same whatever the order; kept."""

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from migrations.study.schema import Image
from tests.trainer.tiny_study import make_study
from trainer.data.splits import Splits, complete_splits, split_by_group, store_splits


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["a", "b", None])), max_size=80),
    st.integers(0, 5),
)
def test_no_patient_is_on_both_sides(rows, seed) -> None:
    groups, labels = [f"p{g}" for g, _ in rows], [x for _, x in rows]
    test = split_by_group(groups, labels, test_share=0.3, seed=seed)
    held = {g for g, t in zip(groups, test, strict=True) if t}
    kept = {g for g, t in zip(groups, test, strict=True) if not t}
    assert not held & kept
    order = np.random.default_rng(0).permutation(len(rows))
    again = split_by_group(
        [groups[i] for i in order], [labels[i] for i in order], test_share=0.3, seed=seed
    )
    assert np.array_equal(again, test[order])


def test_each_label_gives_its_share() -> None:
    groups = [f"p{i // 2}" for i in range(200)]
    labels = ["ill" if i < 40 else "well" for i in range(200)]
    test = split_by_group(groups, labels, test_share=0.2, seed=3)
    assert test[:40].sum() == 8
    assert test[40:].sum() == 32
    assert not np.array_equal(test, split_by_group(groups, labels, test_share=0.2, seed=4))


def test_known_splits_stay_and_new_images_follow_their_patient() -> None:
    groups = ["a", "a", "b", "c", "d", "e"]
    made = complete_splits(
        groups, [None] * 6, ["test", None, "train", "val", None, None], test_share=0.5, seed=0
    )
    assert made[:4] == ["test", "test", "train", "val"]
    assert sorted(made[4:]) == ["test", "train"]
    few = complete_splits(["a", "b", "c"], [None] * 3, [None] * 3, test_share=0.5, seed=0)
    assert few == ["train"] * 3


def test_a_study_keeps_its_split(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", images=20)
    with study.database.write() as session:
        for image in session.scalars(select(Image)):
            image.split = None
    first = store_splits(study, test_share=0.3, seed=1)
    again = store_splits(study, test_share=0.9, seed=2)
    assert first.by_image == again.by_image
    assert 4 <= len(first.ids("test")) <= 8
    with study.database.read() as session:
        stored = {i.id: i.split for i in session.scalars(select(Image))}
    assert stored == first.by_image
    first.write(tmp_path / "splits.json")
    table = json.loads((tmp_path / "splits.json").read_text())
    assert (table["seed"], table["by"]) == (1, "source_group")
    assert set(table["train"]) | set(table["test"]) == set(stored)
    study.close()


def test_splits_list_in_the_order_of_the_cohort() -> None:
    assert Splits({"b": "train", "a": "train", "c": "test"}, 0).ids("train") == ["b", "a"]
