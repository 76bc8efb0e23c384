import pytest

from tests.trainer.probe.radiographs import make_radiographs
from trainer.data.cache import load_grey
from trainer.errors import ImageCacheError, ImageFolderError, ProbeError
from trainer.probe.labelled import ordered_classes
from trainer.probe.labelled_folder import images_by_class_folder, labelled_folder


def test_images_are_found_by_path_and_by_unique_name(tmp_path):
    made = make_radiographs(tmp_path, 8)
    whole = labelled_folder(made.images, made.labels)
    made.rows = [{**row, "image": row["image"].split("/")[1]} for row in made.rows]
    made.rows[0]["image"] = "000"
    short = labelled_folder(made.images, made.write_labels())
    assert short == whole
    assert [i.patient for i in whole.images] == [f"P{k // 2:02d}" for k in range(8)]
    assert whole.classes == ("left", "right")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_tables_of_other_programs_are_read(tmp_path, delimiter):
    made = make_radiographs(tmp_path, 6)
    expected = labelled_folder(made.images, made.labels)
    made.write_labels(delimiter=delimiter, encoding="utf-8-sig")
    made.labels.write_text(
        made.labels.read_text(encoding="utf-8-sig").replace("label", "Label", 1), "utf-8-sig"
    )
    assert labelled_folder(made.images, made.labels) == expected


def test_what_is_left_out_is_said(tmp_path):
    made = make_radiographs(tmp_path, 8)
    made.rows[0]["label"] = ""
    made.rows = made.rows[:6]
    notes = labelled_folder(made.images, made.write_labels("image", "label")).notes
    assert "1 images have no label and were left out." in notes
    assert "2 images in the folder are not in the table and were left out." in notes
    assert "each image counts as a separate patient" in notes[-1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"image": "gone.png"}, "line 3: there is no image 'gone.png'", id="missing"),
        pytest.param({"image": "x.dcm"}, "Import DICOM files into a study first", id="dicom"),
        pytest.param({"split": "tset"}, "line 3: split is 'tset'", id="split"),
        pytest.param({"image": "../secret.png"}, "there is no image", id="outside"),
    ],
)
def test_a_bad_row_is_named(tmp_path, change, said):
    made = make_radiographs(tmp_path, 4)
    made.rows[1].update(change)
    with pytest.raises(ImageFolderError, match=said):
        labelled_folder(made.images, made.write_labels("image", "label", "patient", "split"))


def test_two_labels_of_one_image_are_refused(tmp_path):
    made = make_radiographs(tmp_path, 4)
    made.rows.append({**made.rows[0], "label": "right"})
    with pytest.raises(
        ImageFolderError, match=r"line 6: label of .* is 'right', but 'left' in .*2"
    ):
        labelled_folder(made.images, made.write_labels())


def test_missing_columns_are_named(tmp_path):
    made = make_radiographs(tmp_path, 4)
    with pytest.raises(ImageFolderError, match="no column 'label'; it has image, patient"):
        labelled_folder(made.images, made.write_labels("image", "patient"))


def test_a_damaged_file_is_named(tmp_path):
    made = make_radiographs(tmp_path, 4)
    path = made.images / made.rows[0]["image"]
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ImageCacheError, match=r"000\.png is damaged or not an image"):
        load_grey(path)


def test_sixteen_bits_keep_their_greys(tmp_path):
    made = make_radiographs(tmp_path, 1)
    grey = load_grey(made.images / made.rows[0]["image"])
    assert grey.dtype.name == "uint8"
    assert (grey.min(), grey.max()) == (0, 255)
    assert len(set(grey.ravel().tolist())) > 100


def test_class_folders_give_labels(tmp_path):
    made = make_radiographs(tmp_path, 4)
    data = images_by_class_folder(made.images, [row["image"] for row in made.rows])
    assert [i.label for i in data.images] == ["a", "b", "a", "b"]
    with pytest.raises(ProbeError, match=r"a/none\.png does not exist"):
        images_by_class_folder(made.images, ["a/none.png"])


def test_grades_are_ordered_by_number():
    assert ordered_classes(["10", "9", "1"]) == ("1", "9", "10")
