"""A folder of images instead of a study: order, labels, relation, runs, features."""

import csv
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy import sparse

from trainer.command import main
from trainer.config.config import RunConfig
from trainer.config.layers import make_config
from trainer.data.cache import load_grey, pixel_fingerprint
from trainer.data.image_folder import (
    Resolver,
    find_images,
    labels_of_folders,
    overlooked,
    read_labels,
    read_order,
    read_split_file,
)
from trainer.encode import main as encode
from trainer.errors import ImageFolderError, SimilarityError
from trainer.pairs.from_file import pairs_of_relation
from trainer.pairs.policy import PairMatrix, SparsePairs
from trainer.pairs.relation_file import load_relation_file
from trainer.runs.folder_source import FolderSource
from trainer.runs.wording import too_many_pairs

NAMES = ["a/0.png", "a/2.png", "a/4.png", "a/6.png", "b/1.png", "b/3.png", "b/5.png", "b/7.png"]


def write_images(folder: Path, count: int = 8) -> None:
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels = rng.integers(0, 60, (48, 40), dtype=np.uint8)
        cv2.circle(pixels, (10 + 20 * (number % 2), 24), 8, 220, -1)
        path = folder / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imencode(".png", pixels)[1].tofile(path)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    write_images(tmp_path / "images")
    return tmp_path / "images"


def found(count: int = 8) -> dict[str, Path]:
    return {n: Path(n) for n in NAMES[:count]}


def test_images_come_in_the_order_of_their_names(images: Path) -> None:
    (images / "notes.txt").write_text("none")
    (images / ".hidden").mkdir()
    (images / ".hidden" / "x.png").write_bytes(b"")
    assert list(find_images(images)) == NAMES
    (images / "empty").mkdir()
    with pytest.raises(ImageFolderError, match="contains no images"):
        find_images(images / "empty")
    with pytest.raises(ImageFolderError, match="is not a folder"):
        find_images(images / "absent")


def test_a_list_of_names_gives_the_order(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("# mine\n7\n\na/0.png\n./b/1.png\n2.png\n")
    assert read_order(path, found()) == ["b/7.png", "a/0.png", "b/1.png", "a/2.png"]
    path.write_text("9.png\n")
    with pytest.raises(ImageFolderError, match=r"line 1: there is no image '9\.png'"):
        read_order(path, found())
    path.write_text("0\na/0.png\n")
    with pytest.raises(ImageFolderError, match=r"names a/0\.png twice"):
        read_order(path, found())


def test_labels_come_from_folders_or_a_csv(tmp_path: Path) -> None:
    assert labels_of_folders(["a/0.png", "x.png", "p/q/1.png"])["p/q/1.png"].label == "q"
    assert labels_of_folders(["x.png"])["x.png"].label is None
    path = tmp_path / "labels.csv"
    path.write_text("Image,label,patient,split\n0.png,ill,P1,test\nb/1,well,P2,\nother,ill,P3,\n")
    table = read_labels(path, NAMES)
    assert (table["a/0.png"].label, table["a/0.png"].split) == ("ill", "test")
    assert (table["b/1.png"].patient, table["b/1.png"].split) == ("P2", None)
    path.write_text("image,label,split\n0.png,ill,half\n")
    with pytest.raises(ImageFolderError, match=r"line 2: split is 'half'"):
        read_labels(path, NAMES)
    path.write_text("File;Class;Split\nb/1;ill;Testing\nother;well;\n")  # as other programs write
    assert (read_labels(path, NAMES)["b/1.png"].split) == "test"


def test_a_line_that_may_mean_two_images_is_no_silent_leak(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("image,label,split\n1.png,ill,test\n")
    with pytest.raises(ImageFolderError, match=r"line 2: '1\.png' may mean a/1\.png, b/1\.png"):
        read_labels(path, ["a/1.png", "b/1.png"])


def test_what_is_passed_over_in_a_folder_is_told(images: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(f"image,label\n{NAMES[0]},a\ndx1.dcm,b\nelsewhere.png,b\n")
    assert overlooked(images, list(found())) == ()
    (images / "dx1.dcm").write_bytes(b"DICM")
    dicom, lost = overlooked(images, list(found()), table)
    assert dicom.startswith("1 DICOM file in ")
    assert "names 2 images not in the folder (the first: 'dx1.dcm')" in lost


@pytest.mark.parametrize(
    ("said", "names", "meant"),
    [
        ("P1/1.png", ["P2/1.png"], []),
        ("old/P1/1.png", ["P1/1.png", "P2/1.png"], ["P1/1.png"]),
        ("P1\\s\\1", ["a/P1/s/1.png", "a/P2/s/1.png"], ["a/P1/s/1.png"]),
        ("images/1.png", ["1.png"], ["1.png"]),
        ("images/1", ["1.png"], ["1.png"]),
        ("Zoe\u0301/1.png", ["Zo\u00e9/1.png", "1.png"], ["Zo\u00e9/1.png"]),
        ("Zo\u00e9/1.png", ["Zoe\u0301/1.png"], ["Zoe\u0301/1.png"]),
        ("s/1.png", ["P1/s/1.png", "P2/s/1.png"], ["P1/s/1.png", "P2/s/1.png"]),
    ],
)
def test_a_name_never_means_an_image_of_another_folder(
    said: str, names: list[str], meant: list[str]
) -> None:
    assert Resolver(names).find(said) == meant


def test_a_file_of_splits_is_read_for_one_split_only(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    path.write_text('{"train": ["a/0.png", "gone.png"], "test": ["b/1", "a/2.png"]}')
    assert read_split_file(path, NAMES) == {
        "a/0.png": "train",
        "b/1.png": "test",
        "a/2.png": "test",
    }
    path.write_text('{"train": ["a/0.png"], "test": ["0.png"]}')
    with pytest.raises(ImageFolderError, match=r"names a/0\.png in both train and test"):
        read_split_file(path, NAMES)
    path.write_text('{"repeats": [{"train": ["a/0.png"], "test": ["b/1.png"]}]}')
    with pytest.raises(ImageFolderError, match="holds 1 splits, but training needs one"):
        read_split_file(path, NAMES)


def test_holding_back_others_is_another_cohort(images: Path, tmp_path: Path) -> None:
    path, config = tmp_path / "splits.json", make_config({"pairs": "none"})
    found = []
    for tested in (NAMES[0], NAMES[1], NAMES[0]):
        path.write_text(json.dumps({"train": [n for n in NAMES if n != tested], "test": [tested]}))
        source = FolderSource(images, split_file=path, runs=tmp_path)
        found.append(source.load(config, lambda done, total: None, lambda: False).fingerprint)
    assert found[0] == found[2] != found[1]


def relation_files(folder: Path, matrix: np.ndarray, ids: list[str]) -> dict[str, Path]:
    """Write one relation in each form."""
    paths = {n: folder / f"{n}.np{'y' if n == 'npy' else 'z'}" for n in ("npy", "npz", "csr")}
    np.save(paths["npy"], matrix)
    np.savez(paths["npz"], similarity=matrix, valid=np.ones(matrix.shape, bool), ids=np.array(ids))
    graph = sparse.csr_array(np.where(np.eye(len(ids)), 0, matrix).astype(np.float32))
    np.savez(
        paths["csr"], format=b"csr", data=graph.data, indices=graph.indices, indptr=graph.indptr,
        shape=np.array(graph.shape), ids=np.array(ids), measure="tima",
    )  # fmt: skip
    assert sparse.load_npz(paths["csr"]).nnz == graph.nnz
    return paths


def random_matrix(count: int) -> np.ndarray:
    matrix = np.random.default_rng(1).random((count, count))
    return np.where(np.eye(count), 1, (matrix + matrix.T) / 2)


@pytest.mark.parametrize(
    "rule", [{"threshold": 0.6, "positive_rate": None}, {"positive_rate": 0.3}]
)
def test_all_forms_of_a_relation_give_the_same_pairs(tmp_path: Path, rule: dict) -> None:
    matrix = random_matrix(8).astype(np.float32)
    config, chosen = RunConfig(**rule), NAMES[2:]
    hashes = set()
    for path in relation_files(tmp_path, matrix, NAMES).values():
        pairs = pairs_of_relation(load_relation_file(path), path, NAMES, chosen, config)
        related = pairs.policy.related
        assert isinstance(related, PairMatrix)
        hashes.add(related.hash())
        above = matrix[2:, 2:] > pairs.threshold
        np.fill_diagonal(above, False)
        assert np.array_equal(related.table.numpy(), above)
    assert len(hashes) == 1


def test_ids_place_rows_whatever_their_order(tmp_path: Path) -> None:
    matrix, order = random_matrix(8).astype(np.float32), np.random.default_rng(2).permutation(8)
    names = [Path(NAMES[i]).stem for i in order]  # stems, as the similarity command writes them
    paths = relation_files(tmp_path, matrix[np.ix_(order, order)], names)
    config = RunConfig(threshold=0.6, positive_rate=None)
    for form in ("npz", "csr"):
        pairs = pairs_of_relation(
            load_relation_file(paths[form]), paths[form], NAMES, NAMES, config
        )
        expected = (matrix > 0.6) & ~np.eye(8, dtype=bool)
        assert np.array_equal(pairs.policy.related.table.numpy(), expected)


def test_a_graph_of_neighbours_counts_both_ways_and_large_ones_stay_sparse() -> None:
    rng = np.random.default_rng(0)
    table = np.triu(rng.random((40, 40)) > 0.8, 1)
    table |= table.T
    rows, columns = np.nonzero(table)
    dense, thin = (k.of_edges(rows, columns, 40) for k in (PairMatrix, SparsePairs))
    import torch

    a, b = torch.randint(0, 40, (7,)), torch.randint(0, 40, (90,))
    assert torch.equal(dense.lookup(a, b), thin.lookup(a, b))
    assert dense.pair_count() == thin.pair_count()


def test_what_is_no_relation_is_named(tmp_path: Path) -> None:
    for content, message in ((np.zeros((3, 2)), r"shape \(3, 2\)"), (np.array(["a"]), "numbers")):
        np.save(tmp_path / "r.npy", content)
        with pytest.raises(SimilarityError, match=message):
            load_relation_file(tmp_path / "r.npy")
    (tmp_path / "r.npy").write_bytes(b"nothing")
    with pytest.raises(SimilarityError, match="cannot be read"):
        load_relation_file(tmp_path / "r.npy")
    np.save(tmp_path / "r.npy", random_matrix(5))
    loaded = load_relation_file(tmp_path / "r.npy")
    with pytest.raises(ImageFolderError, match="relates 5 images, but there are 8"):
        pairs_of_relation(loaded, tmp_path / "r.npy", NAMES, NAMES, RunConfig())


def words(images: Path, out: Path, *more: str) -> list[str]:
    return [
        "--images", str(images), "--out", str(out), "--size", "32", "--batch", "4", "--epochs", "1",
        "--device", "cpu", "--set", "onnx=false", "--events", "json", *more,
    ]  # fmt: skip


@pytest.mark.usefixtures("tiny_encoder")
def test_from_files_to_an_encoder_that_knows_what_it_has_seen(
    images: Path, tmp_path: Path, capsys
) -> None:
    np.save(tmp_path / "rel.npy", random_matrix(8))
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        rows = [["image", "label", "split"], *([n, n[0], "test"] for n in NAMES[:1])]
        csv.writer(file).writerows(rows)
    out = tmp_path / "run"
    more = ["--relation", str(tmp_path / "rel.npy"), "--labels", str(tmp_path / "labels.csv")]
    assert main(words(images, out, *more, "--positive-rate", "0.4", "--method", "mocov2")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "result"
    assert events[-1]["images"] == 7
    splits = json.loads((out / "splits.json").read_text())
    assert (splits["test"], len(splits["train"])) == ([NAMES[0]], 7)
    with safe_open(out / "encoder.safetensors", "pt") as file:
        about = file.metadata()
    seen = {pixel_fingerprint(load_grey(images / n))[:16] for n in NAMES[1:]}
    assert set(about["seen_images"].split()) == seen
    assert (about["transductive"], about["encoder"]) == ("false", "resnet18")
    assert json.loads((out / "run.json").read_text())["state"] == "finished"
    assert main(words(images, out, *more)) == 1
    assert "finished run" in capsys.readouterr().out


@pytest.mark.usefixtures("tiny_encoder")
def test_images_that_a_file_of_splits_tests_take_no_part(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "released.json"
    path.write_text(json.dumps({"train": NAMES[3:], "val": [NAMES[2]], "test": NAMES[:2]}))
    out = tmp_path / "run"
    assert main(words(images, out, "--pairs", "none", "--splits", str(path))) == 0
    with safe_open(out / "encoder.safetensors", "pt") as file:
        seen = set(file.metadata()["seen_images"].split())
    assert seen == {pixel_fingerprint(load_grey(images / n))[:16] for n in NAMES[2:]}
    assert json.loads((out / "splits.json").read_text())["test"] == sorted(NAMES[:2])


@pytest.mark.usefixtures("tiny_encoder")
def test_gaze_pairs_need_a_relation_and_one_source_is_named(images, tmp_path, capsys) -> None:
    assert main(words(images, tmp_path / "run")) == 2
    assert "--relation" in capsys.readouterr().out
    assert main(["--events", "json"]) == 2
    assert "either --study FOLDER or --images" in capsys.readouterr().out


def test_features_of_a_folder(images: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from trainer.encoders.nets import make_encoder, seeded_weights

    with seeded_weights(0):
        net, _ = make_encoder("resnet18")
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "encoder.safetensors"
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path)
    (tmp_path / "names.txt").write_text("b/7\na/0\n")
    made = []
    for order in ([], ["--order", str(tmp_path / "names.txt")]):
        out = tmp_path / "features.npz"
        line = ["--encoder", str(tmp_path / "run"), "--images", str(images)]
        assert encode([*line, "--size", "32", "--out", str(out), *order]) == 0
        with np.load(out) as file:
            made.append((file["features"], file["names"].tolist()))
    (every, names), (some, chosen) = made
    assert (every.shape, every.dtype, names) == ((8, 512), np.float32, NAMES)
    assert chosen == ["b/7.png", "a/0.png"]
    np.testing.assert_allclose(some, every[[7, 0]], atol=1e-4)


def test_an_encoder_that_is_none_is_a_wrong_argument(images: Path, tmp_path: Path, capsys) -> None:
    table = tmp_path / "some.csv"
    table.write_text("a,b\n1,2\n")
    line = ["--images", str(images), "--out", str(tmp_path / "f.npz"), "--encoder"]
    assert encode([*line, str(table)]) == 2
    assert "some.csv is not a file of weights, or is damaged" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        encode([*line, str(tmp_path)])
    assert end.value.code == 2
    assert "has no encoder.safetensors" in capsys.readouterr().err
    assert main([*words(images, tmp_path / "run"), "--pairs", "none", "--init", str(table)]) == 2
    assert "is not a file of weights" in " ".join(capsys.readouterr().out.split())


def test_an_encoder_that_tells_no_architecture_asks_for_a_name(
    images: Path, tmp_path: Path, capsys
) -> None:
    from safetensors.torch import save_file

    save_file({"patch_embeds.0.proj.weight": torch.ones(2, 3, 4, 4)}, tmp_path / "t.safetensors")
    line = ["--images", str(images), "--out", str(tmp_path / "f.npz"), "--encoder"]
    assert encode([*line, str(tmp_path / "t.safetensors")]) == 2
    assert "Use --name" in " ".join(capsys.readouterr().out.split())


def test_deep_files_are_windowed_and_eight_bit_ones_kept(tmp_path: Path) -> None:
    ramp = np.linspace(0, 4095, 4096).reshape(64, 64).astype(np.uint16)
    cv2.imencode(".png", ramp)[1].tofile(tmp_path / "deep.png")
    grey = load_grey(tmp_path / "deep.png")
    assert (grey.dtype, grey.min(), grey.max()) == (np.uint8, 0, 255)
    assert abs(int(grey[32, 0]) - 128) <= 1
    plain = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cv2.imencode(".png", plain)[1].tofile(tmp_path / "plain.png")
    assert np.array_equal(load_grey(tmp_path / "plain.png"), plain)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_stopped_run_goes_on_and_another_config_is_refused_by_name(
    images: Path, tmp_path: Path, monkeypatch
) -> None:
    from dataclasses import replace

    from trainer.errors import CheckpointError
    from trainer.process.events import Metrics, RunFinished, RunStopped
    from trainer.runs.folder_source import FolderSource
    from trainer.runs.run import run_training
    from trainer.runs.stages import Run

    config = RunConfig(
        pairs="label", size=32, batch=4, epochs=3, device="cpu", onnx=False, precision="fp32"
    )
    steps: list = []

    def go(config, stop=lambda: False, out=None):
        steps.clear()
        source = FolderSource(images, runs=tmp_path / "runs")

        def emit(event) -> None:
            if isinstance(event, Metrics):
                steps.append(event.step)

        return run_training(Run(source, config, emit, stop, out=out))

    stopped = go(config, lambda: len(steps) >= 2)
    assert isinstance(stopped, RunStopped)
    with pytest.raises(CheckpointError, match=r"lr: 0\.5 here, 0\.0003 there"):
        go(replace(config, lr=0.5), out=Path(stopped.run_folder))
    ended = go(config)
    assert isinstance(ended, RunFinished)
    assert ended.run_folder == stopped.run_folder
    assert steps == [3, 4, 5, 6]


def test_many_images_are_decoded_by_processes_into_the_same_cache(tmp_path: Path) -> None:
    import torch

    from trainer.data.cache import Source, open_cache
    from trainer.errors import ImageCacheError

    write_images(tmp_path / "images", 70)
    paths = find_images(tmp_path / "images")
    sources = [Source(n, "", 0, 0, p) for n, p in paths.items()]
    many = open_cache(tmp_path / "many", sources, 32)
    few = open_cache(tmp_path / "few", sources[:10], 32)
    assert torch.equal(many.pixels[:10], few.pixels)
    assert many.fingerprints[:10] == few.fingerprints
    assert len(set(many.fingerprints)) == 70
    sources[66].presentation.write_bytes(b"broken")
    with pytest.raises(ImageCacheError, match=sources[66].image_id):
        open_cache(tmp_path / "many", sources, 32)


def test_a_copied_folder_needs_no_new_cache(tmp_path: Path, images: Path) -> None:
    import shutil

    from trainer.data.cache import Source, open_cache

    def sources(folder: Path) -> list[Source]:
        return [Source(n, "", 0, 0, p) for n, p in find_images(folder).items()]

    first = open_cache(tmp_path / "cache", sources(images), 32)
    shutil.copytree(images, tmp_path / "copy", copy_function=shutil.copyfile)
    assert open_cache(tmp_path / "cache", sources(tmp_path / "copy"), 32).path == first.path


def test_broken_pictures_are_all_named_or_left_out_and_told(
    images: Path, tmp_path: Path, capsys, tiny_encoder
) -> None:
    np.save(tmp_path / "relation.npy", np.eye(10))
    write_images(images, 10)
    for name in ("a/2.png", "b/5.png"):
        (images / name).write_bytes(b"no image")
    words = [
        "--images", str(images), "--relation", str(tmp_path / "relation.npy"), "--threshold", "0.5",
        "--size", "16", "--batch", "4", "--epochs", "1", "--device", "cpu", "--out",
        str(tmp_path / "run"), "--events", "json", "--set", "onnx=false",
    ]  # fmt: skip
    assert main(words) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["message"]
    assert "2 of 10 pictures cannot be used" in said
    assert "2.png" in said
    assert "5.png" in said
    assert main([*words, "--set", "skip_broken=true"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warned = next(e["message"] for e in events if e["event"] == "warning")
    assert warned.startswith("Left out 2 pictures")
    assert events[-1]["images"] == 8
    card = json.loads((tmp_path / "run" / "encoder.json").read_text())
    assert card["left_out"] == ["a/2.png", "b/5.png"]
    assert "cannot be read:\na/2.png, b/5.png." in (tmp_path / "run" / "README.md").read_text()


def _distances(count: int = 8) -> np.ndarray:
    at = np.random.default_rng(0).random(count)
    return np.abs(at[:, None] - at[None, :])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param(1000 * _distances(), "values from .* to .*between -1 and 1", id="range"),
        pytest.param(_distances() / 2, "more similar .* than image 1 is to itself", id="distances"),
        pytest.param(np.full((8, 8), np.nan), "no value for any pair of images", id="nan"),
        pytest.param(
            np.where(np.eye(8), 1.0, np.nan), "no value for any pair of images", id="nan-but-own"
        ),
    ],
)
def test_a_relation_that_is_no_similarity_ends_the_run_before_it_begins(
    made: np.ndarray, said: str, images: Path, tmp_path: Path, capsys
) -> None:
    np.save(tmp_path / "relation.npy", made)
    words = ["--images", str(images), "--relation", str(tmp_path / "relation.npy")]
    assert main([*words, "--threshold", "0.5", "--size", "16", "--events", "json",
                 "--out", str(tmp_path / "run")]) == 1  # fmt: skip
    error = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert error["event"] == "error"
    assert re.search(said, error["message"])
    assert not (tmp_path / "run").exists()


def test_a_graph_of_distances_is_refused_too(tmp_path: Path) -> None:
    sparse.save_npz(tmp_path / "graph.npz", sparse.csr_array(1000 * _distances()))
    with pytest.raises(SimilarityError, match="between -1 and 1"):
        load_relation_file(tmp_path / "graph.npz")


def test_what_float16_rounds_up_is_a_similarity_still(tmp_path: Path) -> None:
    np.save(tmp_path / "half.npy", np.full((3, 3), 1.0009765625, np.float16))
    assert len(load_relation_file(tmp_path / "half.npy")) == 3


def test_a_relation_without_a_value_for_those_trained_on_is_refused(tmp_path: Path) -> None:
    values = np.full((4, 4), np.nan)
    values[0, 1] = values[1, 0] = 0.9
    np.save(tmp_path / "relation.npy", values)
    path, every = tmp_path / "relation.npy", ["a", "b", "c", "d"]
    with pytest.raises(SimilarityError, match="images that are trained on"):
        pairs_of_relation(load_relation_file(path), path, every, ["b", "c", "d"], RunConfig())


def test_more_than_half_positive_is_said() -> None:
    assert list(too_many_pairs(0.5)) == list(too_many_pairs(None)) == []
    assert "99.8% of all pairs are positive" in next(too_many_pairs(0.998))
