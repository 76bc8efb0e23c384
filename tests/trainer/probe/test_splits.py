import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from migrations.study.names import short_name
from migrations.study.schema import new_id
from trainer.data.splits import read_splits
from trainer.errors import ImageFolderError, ProbeError
from trainer.probe.budgets import draw_labelled, parse_budgets, possible_budgets, shares
from trainer.probe.labelled import LabelledImage, LabelledSet
from trainer.probe.splits import column_split, file_splits, random_splits, splits_as_json


def labelled(count: int = 60, splits: dict[int, str] | None = None) -> LabelledSet:
    """Three images of each patient; every third patient is ill."""
    return LabelledSet(
        tuple(
            LabelledImage(
                f"{'ill' if k // 3 % 3 == 0 else 'well'}/{k}.png",
                Path(f"{k}.png"),
                "ill" if k // 3 % 3 == 0 else "well",
                f"P{k // 3}",
                (splits or {}).get(k),
            )
            for k in range(count)
        )
    )


def test_random_splits_keep_patients_whole_and_classes_spread():
    data = labelled()
    splits = random_splits(data, 5, seed=1)
    patients, codes = data.patients, data.codes
    for part in splits.parts:
        assert not set(patients[part.train]) & set(patients[part.test])
        assert sorted([*part.train, *part.test]) == list(range(60))
        assert np.bincount(codes[part.test]).tolist() == [6, 12]  # 2 of 7 ill, 4 of 13 well
    assert len({tuple(part.test) for part in splits.parts}) == 5
    again = random_splits(data, 5, seed=1)
    assert all((a.test == b.test).all() for a, b in zip(splits.parts, again.parts, strict=True))


def test_a_class_of_one_patient_is_refused():
    with pytest.raises(ProbeError, match="Class 'ill' has 1 patient"):
        random_splits(labelled(9), 2, seed=0)


def test_a_column_that_leaks_is_refused_and_names_the_patient():
    words = {k: "train" if k < 40 else "test" for k in range(60)}
    with pytest.raises(ProbeError, match=r"leaks: 1 patient in both .*\(P13\)"):
        column_split(labelled(60, words))


def test_val_is_trained_on_and_unmarked_images_take_no_part():
    words = {k: ("train", "val", "test")[k // 20] for k in range(57)}
    words.update(dict.fromkeys((18, 19, 20, 39, 40, 41), ""))
    data = labelled(60, {k: w for k, w in words.items() if w})
    part = column_split(data).parts[0]
    assert part.train.tolist() == [*range(18), *range(21, 39)]
    assert part.test.tolist() == list(range(42, 57))
    assert column_split(labelled(60, dict.fromkeys(range(60), "train"))) is None


def test_the_released_layout_is_read(tmp_path):
    data = labelled()
    names = [i.name for i in data.images]
    path = tmp_path / "splits.json"
    path.write_text(json.dumps({"train": names[:30], "val": names[30:39], "test": names[39:]}))
    splits = file_splits(data, read_splits(path), path)
    assert splits.fixed
    assert splits.parts[0].train.tolist() == list(range(39))
    path.write_text(json.dumps({"train": names[:31], "val": [], "test": names[31:]}))
    with pytest.raises(ProbeError, match="leaks"):
        file_splits(data, read_splits(path), path)


def test_splits_of_a_study_may_call_its_images_by_their_names(tmp_path):
    ids = [new_id() for _ in range(60)]
    data = LabelledSet(
        tuple(replace(i, name=n) for i, n in zip(labelled().images, ids, strict=True))
    )
    names = [short_name(i).lower() for i in ids]
    path = tmp_path / "splits.json"
    path.write_text(json.dumps({"train": [*names[:30], ids[30]], "test": names[39:]}))
    (part,) = file_splits(data, read_splits(path), path).parts
    assert part.train.tolist() == list(range(31))
    assert part.test.tolist() == list(range(39, 60))


def test_splits_may_name_a_file_alone_but_not_one_that_may_be_several(tmp_path):
    data = labelled()
    names = [i.name.rsplit("/", 1)[-1].removesuffix(".png") for i in data.images]
    path = tmp_path / "splits.json"
    path.write_text(json.dumps({"train": names[:39], "test": [*names[39:], "elsewhere.png"]}))
    (part,) = file_splits(data, read_splits(path), path).parts
    assert part.test.tolist() == list(range(39, 60))
    twice = replace(data, images=(*data.images, replace(data.images[50], name="other/50.png")))
    with pytest.raises(ImageFolderError, match=r"'50' may mean .*well/50\.png"):
        file_splits(twice, read_splits(path), path)


def test_stored_splits_are_read_again(tmp_path):
    data = labelled()
    splits = random_splits(data, 3, seed=4)
    path = tmp_path / "splits.json"
    path.write_text(json.dumps(splits_as_json(data, splits, 4)))
    again = file_splits(data, read_splits(path), path)
    for a, b in zip(splits.parts, again.parts, strict=True):
        assert (a.train == b.train).all()
        assert (a.test == b.test).all()


@pytest.mark.parametrize("text", ["[]", '{"train": ["a"]}', "no", '{"train": [], "test": ["b"]}'])
def test_a_file_without_splits_is_refused(tmp_path, text):
    path = tmp_path / "splits.json"
    path.write_text(text)
    with pytest.raises(ImageFolderError, match=r"splits\.json"):
        read_splits(path)


def test_budgets_count_all_labels_and_hold_every_class():
    codes = np.repeat([0, 1, 2], [90, 25, 5])
    for budget in (3, 10, 25, 100):
        drawn = draw_labelled(codes, budget, np.random.default_rng(0))
        assert len(set(drawn.tolist())) == budget
        assert set(codes[drawn]) == {0, 1, 2}
    assert np.bincount(codes[draw_labelled(codes, 24, np.random.default_rng(0))]).tolist() == [
        18, 5, 1,
    ]  # fmt: skip
    assert draw_labelled(codes, "all", np.random.default_rng(0)).tolist() == list(range(120))
    small, large = (set(draw_labelled(codes, b, np.random.default_rng(3)).tolist())
                    for b in (10, 100))  # fmt: skip
    assert small <= large


def test_a_budget_never_asks_more_of_a_class_than_it_has():
    assert shares(np.array([2, 50, 50]), 100).tolist() == [2, 49, 49]


def test_budgets_that_cannot_be_are_said():
    assert possible_budgets((2, 10, 99, "all"), 50, 3)[0] == (10, "all")
    assert len(possible_budgets((2, 10, 99, "all"), 50, 3)[1]) == 2
    with pytest.raises(ProbeError, match="only 50 images"):
        possible_budgets((99,), 50, 2)
    with pytest.raises(ProbeError, match="--label-budget ten"):
        parse_budgets("ten")
