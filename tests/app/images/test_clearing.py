"""Burned-in text: who waits, who cleared, what is black, and what a device's mask does."""

import re
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from sqlalchemy import select

from app.errors import ImportStopped
from app.hanging.import_command import main
from app.images.attributes import DisplayAttributes
from app.images.clearing import (
    ClearingError,
    black_out,
    cases_to_clear,
    clear,
    last_clearer,
    mask_device,
    picture,
    same_device,
    thumbnail,
    to_clear,
)
from app.images.importing.importer import import_paths
from app.images.masks import (
    MasksUnreadable,
    MaskTemplate,
    add_mask,
    blacked_out,
    mask_for,
    read_masks,
)
from app.images.store import load
from migrations.study.folder import Study
from migrations.study.schema import Audit, CaseImage, Image, StudyCase
from tests.app.images.image_files import good, png


def unsaid(path: Path, seed: int = 0, *, maker: str = "", photometric: str = "MONOCHROME2") -> Path:
    """Write a file that does not say whether text is burned in, as most do not."""
    dataset = pydicom.dcmread(good(path, seed, photometric))
    if "BurnedInAnnotation" in dataset:
        del dataset.BurnedInAnnotation
    dataset.Manufacturer, dataset.ManufacturerModelName = maker, maker and "Model 1"
    dataset.save_as(path)
    return path


def image_row(study: Study, image_id: str) -> Image:
    with study.database.read() as session:
        return session.scalars(select(Image).where(Image.id == image_id)).one()


def black(study: Study, image_id: str | None) -> bool:
    return len(np.unique(load(study, image_id or "").stored[:6])) == 1


def test_only_what_says_no_need_not_be_looked_at(study: Study, tmp_path: Path) -> None:
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    results = import_paths(
        study,
        [good(tmp_path / "a.dcm"), unsaid(tmp_path / "b.dcm", 1), png(tmp_path / "c.png", pixels)],
    )
    waiting = to_clear(study)
    assert [image.image_id for image in waiting] == [r.image_id for r in results[1:]]
    assert [image.burned_in for image in waiting] == ["unknown", "unknown"]
    assert list(cases_to_clear(study).values()) == [1, 1]


def test_clearing_stores_who_and_when(study: Study, tmp_path: Path) -> None:
    image_id = import_paths(study, [unsaid(tmp_path / "b.dcm")])[0].image_id or ""
    with pytest.raises(ClearingError, match="Who clears"):
        clear(study, [image_id], " ")
    assert clear(study, [image_id], " AB ") == 1
    assert clear(study, [image_id], "CD") == 0
    row = image_row(study, image_id)
    assert (row.cleared_by, "cleared_utc" in row.details) == ("AB", True)
    assert (to_clear(study), cases_to_clear(study), last_clearer(study)) == ([], {}, "AB")
    with study.database.read() as session:
        actions = [(a.action, a.details) for a in session.scalars(select(Audit))]
    assert ("image cleared", {"by": "AB"}) in actions


def test_blacked_out_pixels_are_nowhere_in_the_study(study: Study, tmp_path: Path) -> None:
    path = unsaid(tmp_path / "b.dcm")
    result = import_paths(study, [path])[0]
    image_id = result.image_id or ""
    before = load(study, image_id).stored.copy()
    hidden = before[5:9, 2:12].tobytes()
    black_out(study, image_id, [(2, 5, 10, 4)], "AB")
    after = load(study, image_id).stored
    assert len(np.unique(after[5:9, 2:12])) == 1
    outside = np.ones(before.shape, bool)
    outside[5:9, 2:12] = False
    np.testing.assert_array_equal(after[outside], before[outside])
    shown = cv2.imread(str(study.presentation(image_id)), cv2.IMREAD_UNCHANGED)
    assert (shown[5:9, 2:12] == shown.min()).all()
    rows = [hidden[i * 20 : (i + 1) * 20] for i in range(4)]
    for file in study.folder.rglob("*"):
        if file.is_file():
            assert not any(row in file.read_bytes() for row in rows), file
    row = image_row(study, image_id)
    assert row.details["blacked_out"] == [[2, 5, 10, 4]]
    assert row.sha256 != result.pixels_sha256
    assert image_row(study, image_id).cleared_by is None
    assert import_paths(study, [path])[0].status == "known"
    assert len(list((study.folder / "images").iterdir())) == 1


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_black_is_what_is_shown_black(tmp_path: Path, photometric: str) -> None:
    stored = np.arange(100, 200, dtype=np.uint16).reshape(10, 10)
    attributes = DisplayAttributes(10, 10, photometric, 12, 16, False, 100, 199)
    result, kept = blacked_out(stored, attributes, [(0, 0, 10, 1), (0, 9, 99, 99)])
    assert set(result[[0, -1]].ravel()) == {199 if photometric == "MONOCHROME1" else 100}
    assert (kept.stored_low, kept.stored_high) == (110, 189)
    assert (stored[0] == np.arange(100, 110)).all()


def test_a_stack_is_blacked_out_on_every_frame() -> None:
    stored = np.arange(120, dtype=np.uint8).reshape(3, 4, 10)
    attributes = DisplayAttributes(4, 10, "MONOCHROME2", 8, 8, False, 0, 119, frames=3)
    result, _ = blacked_out(stored, attributes, [(1, 1, 3, 2)])
    assert (result[:, 1:3, 1:4] == 0).all()
    assert (result[:, 0] == stored[:, 0]).all()


def test_a_mask_is_used_for_all_images_of_one_device_and_those_to_come(
    study: Study, tmp_path: Path
) -> None:
    files = [unsaid(tmp_path / f"{i}.dcm", i, maker="Aloka") for i in range(2)]
    other = unsaid(tmp_path / "other.dcm", 5, maker="Philips")
    results = import_paths(study, [*files, other])
    first = to_clear(study)[0]
    assert first.manufacturer == "Aloka"
    assert re.fullmatch("device [0-9a-f]{8}", first.model)  # no word of the file's
    assert same_device(study, first) == [results[1].image_id]
    assert len(mask_device(study, first, [(0, 0, 30, 6)], "AB")) == 2
    assert black(study, results[1].image_id)
    assert not black(study, results[2].image_id)
    later = import_paths(study, [unsaid(tmp_path / "later.dcm", 9, maker="Aloka")])[0]
    assert "1 rectangles blacked out by the mask of its device" in later.reason
    assert black(study, later.image_id)
    assert import_paths(study, [tmp_path / "later.dcm"])[0].status == "known"
    expected = pydicom.dcmread(tmp_path / "later.dcm").pixel_array
    assert later.pixels_sha256 != image_row(study, later.image_id or "").sha256
    assert (load(study, later.image_id or "").stored[6:] == expected[6:]).all()


def test_an_image_without_a_device_lends_no_mask(study: Study, tmp_path: Path) -> None:
    import_paths(study, [unsaid(tmp_path / "a.dcm")])
    image = to_clear(study)[0]
    assert same_device(study, image) == []
    with pytest.raises(ClearingError, match="does not name its device"):
        mask_device(study, image, [(0, 0, 5, 5)], "AB")


def test_masks_are_kept_by_device_and_a_damaged_file_is_named(study: Study) -> None:
    first = MaskTemplate("A", "M", 10, 20, ((0, 0, 5, 5),))
    add_mask(study.folder, first)
    add_mask(study.folder, MaskTemplate("B", "M", 10, 20, ((1, 1, 2, 2),)))
    better = MaskTemplate("A", "M", 10, 20, ((0, 0, 6, 6), (1, 2, 3, 4)))
    add_mask(study.folder, better)
    masks = read_masks(study.folder)
    assert mask_for(masks, "A", "M", 10, 20) == better.rectangles
    assert mask_for(masks, "A", "M", 11, 20) == ()
    for text in ("[", '{"masks": [{"rectangles": [[1, 2, 3]]}]}', '{"masks": 3}'):
        (study.folder / "masks.json").write_text(text)
        with pytest.raises(MasksUnreadable, match=r"masks\.json"):
            read_masks(study.folder)


def test_the_linkage_file_lies_outside_the_study_and_says_who_is_who(
    study: Study, tmp_path: Path
) -> None:
    path, linkage = good(tmp_path / "x.dcm"), tmp_path / "who.csv"
    with pytest.raises(ImportStopped, match="inside the study"):
        import_paths(study, [path], linkage=study.folder / "who.csv")
    result = import_paths(study, [path], linkage=linkage)[0]
    import_paths(study, [path], linkage=linkage)
    lines = linkage.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("file,image_id,source_group,patient_id,patient_name")
    assert f"{result.image_id}," in lines[1]
    assert "FICT-9,Quill^Ada" in lines[1]
    assert linkage.stat().st_mode & 0o077 == 0


def test_the_command_refuses_a_linkage_file_inside_the_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--study", str(tmp_path / "s"), str(good(tmp_path / "x.dcm"))]
    assert main([*words, "--linkage", str(tmp_path / "s" / "l.csv")]) == 1
    assert "inside the study" in capsys.readouterr().err
    assert main([*words, "--linkage", str(tmp_path / "l.csv")]) == 0


def test_images_of_one_case_in_the_csv_hang_together(study: Study, tmp_path: Path) -> None:
    views = {"rmlo": "R MLO", "lcc": "L CC", "lmlo": "L MLO", "rcc": "R CC"}
    for number, (name, view) in enumerate(views.items()):
        dataset = pydicom.dcmread(good(tmp_path / f"{name}.dcm", number))
        dataset.ImageLaterality, dataset.ViewPosition = view.split()
        del dataset.ViewCodeSequence
        dataset.save_as(tmp_path / f"{name}.dcm")
    good(tmp_path / "alone.dcm", 9)
    lines = [f"{name}.dcm,A" for name in views] + ["alone.dcm,"]
    (tmp_path / "l.csv").write_text("image,case\n" + "\n".join(lines))
    files = [str(tmp_path / f"{name}.dcm") for name in (*views, "alone")]
    assert main(["--study", str(study.folder), *files, "--labels", str(tmp_path / "l.csv")]) == 0
    with study.database.read() as session:
        cases = session.scalars(select(StudyCase).order_by(StudyCase.position)).all()
        query = select(Image.import_number, CaseImage.tile).join(CaseImage)
        tiles = {number: tile for number, tile in session.execute(query)}
    assert [case.hanging for case in cases] == ["mammo", "one-up"]
    assert tiles == {1: 2, 2: 1, 3: 3, 4: 0, 5: 0}


def test_small_bright_text_stays_visible_on_the_sheet() -> None:
    shown = np.zeros((3000, 2000), np.uint8)
    shown[100:104, 100:104] = 255  # a dot of a letter
    small = thumbnail(shown, 150)
    assert small.shape == (150, 100)
    assert small.max() > 60
    paper = thumbnail(255 - shown, 150)
    assert paper.min() < 195


def test_text_on_any_frame_of_a_stack_is_seen(study: Study, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(unsaid(tmp_path / "x.dcm"))
    pixels = np.zeros((5, 40, 30), np.uint16)
    pixels[4, 3, 3] = 4095
    dataset.NumberOfFrames, dataset.PixelData = 5, pixels.tobytes()
    dataset.save_as(tmp_path / "x.dcm")
    image_id = import_paths(study, [tmp_path / "x.dcm"])[0].image_id or ""
    shown = picture(study, image_id)
    assert shown.shape == (40, 30)
    assert shown[3, 3] > shown[0, 0]
