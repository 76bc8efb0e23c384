"""The released code's layout, relation and features: read as that code reads them, and back in."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage
from sqlalchemy import select

from main import main
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.trainer.tiny_study import make_study
from trainer.data.cohort import load_cohort


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", images=6, test_images=2)
    yield study
    study.close()


def _export(kind: str, study: Study, out: Path, *more: str) -> int:
    return main(["export", kind, "--study", str(study.folder), "--out", str(out), *more])


def test_mcgip_is_read_as_the_released_code_reads_it(study, tmp_path) -> None:
    out = tmp_path / "out"
    assert _export("mcgip", study, out, "--measure", "density") == 0
    names = json.loads((out / "preTrain.json").read_text())  # as OAIsource.load_annotations does
    relation = np.load(out / "relation.npy")
    assert relation.shape == (6, 6)
    np.testing.assert_array_equal(np.diag(relation), 1)
    assert relation[0, 2] > 0.9 > relation[0, 1]
    assert (out / "namelist.txt").read_text().splitlines() == names
    members = load_cohort(study).members
    for name, member in zip(names, members, strict=True):
        gt = eval(name.split("/")[0])
        with PilImage.open(out / "images" / name) as picture:
            assert np.array_equal(picture, PilImage.open(member.presentation))
        found = json.loads((out / "gaze" / f"{Path(name).stem}.json").read_text())
        canvas = np.zeros((801, 801))
        for x, y in found["gaze"]:  # as createSaveHeat does
            canvas[min(799, y), min(799, x)] = 1.0
        assert (found["img"], found["gt"]) == (Path(name).name, gt)
        assert found["case"] == found["img"].split(".")[0][:-1]
        expected = np.floor(member.readings[0].points_image * 800 / member.height)
        np.testing.assert_array_equal(found["gaze"], expected)
    split = json.loads((out / "split.json").read_text())
    assert (split["train"], split["test"]) == (names[:4], names[4:])


def test_mcgip_comes_back_in_with_the_same_gaze(study, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert _export("mcgip", study, out, "--measure", "density") == 0
    back = tmp_path / "back"
    code = main(["import-gaze", "mcgip", str(out / "gaze"), "--study", str(back), "--images",
                 str(out / "images")])  # fmt: skip
    assert code == 0
    copy = Study.open(back)
    before, after = load_cohort(study), load_cohort(copy)
    with copy.database.read() as session:
        assert len(session.scalars(select(Image.id)).all()) == 6
    stored = [np.load(copy.image_folder(m.image_id) / "stored.npy") for m in after.members]
    for member in before.members:
        grey = np.asarray(PilImage.open(member.presentation))
        (k,) = [k for k, values in enumerate(stored) if np.array_equal(values, grey)]
        other = after.members[k]
        (old,), (new,) = member.readings, other.readings
        np.testing.assert_allclose(new.points_image, old.points_image, atol=1e-5, rtol=0)
        np.testing.assert_array_equal(np.diff(new.time_us), np.diff(old.time_us))
    copy.close()


def test_relation_is_found_again_or_computed(study, tmp_path) -> None:
    for k, folder in enumerate(("a", "b")):
        assert _export("relation", study, tmp_path / folder, "--measure", "density") == 0, k
    with np.load(tmp_path / "a" / "relation.npz") as file:
        ids = file["ids"].tolist()
        np.testing.assert_array_equal(file["similarity"], np.load(tmp_path / "b" / "relation.npy"))
        assert file["valid"].dtype == bool
    assert ids == [m.image_id for m in load_cohort(study).members]


def test_features_of_an_encoder_file(study, tmp_path, capsys) -> None:
    from safetensors.torch import save_file

    from trainer.encoders.nets import make_encoder, seeded_weights

    assert _export("features", study, tmp_path / "none") == 1
    assert "no encoder yet" in capsys.readouterr().err
    with seeded_weights(1):
        net = make_encoder("resnet18")[0]
    state = {k: v.contiguous() for k, v in net.state_dict().items()}
    save_file(state, tmp_path / "e.safetensors", metadata={"config": json.dumps({"size": 32})})
    out = tmp_path / "features"
    assert _export("features", study, out, "--encoder", str(tmp_path / "e.safetensors")) == 0
    with np.load(out / "features.npz") as file:
        assert file["features"].shape == (6, 512)
        assert np.isfinite(file["features"]).all()
        assert file["labels"].tolist() == ["even", "odd"] * 3
        assert str(file["encoder"]) == "resnet18"
