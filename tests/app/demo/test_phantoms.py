"""The demo's cohort: genuine DICOM files that come through the real import bit for bit."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from sqlalchemy import select

from app.demo.breast import BreastShape, draw_mammogram
from app.demo.lesions import LESIONS
from app.demo.phantoms import Cohort, read_truth, write_cohort
from app.images.importing.importer import ImportResult, import_paths
from app.images.store import load
from migrations.study.folder import Study
from migrations.study.schema import Image
from migrations.study.settings import StudySettings

CASES = 9


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return write_cohort(tmp_path_factory.mktemp("source"), CASES, seed=3)


@pytest.fixture(scope="module")
def imported(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
        study = Study.create(tmp_path_factory.mktemp("study") / "s", StudySettings())
        results = import_paths(study, cohort.paths, labels=cohort.labels)
        yield study, results
        study.close()


def test_a_cohort_has_phantoms_a_png_and_the_two_real_radiographs(cohort: Cohort) -> None:
    assert len(cohort.files) == CASES
    names = [file.path.name for file in cohort.files]
    assert {"RG1_J2KR.dcm", "RG3_J2KR.dcm"} < set(names)
    assert sum(name.endswith(".png") for name in names) == 1
    assert len({file.pixels_sha256 for file in cohort.files}) == CASES


def test_the_phantoms_vary_in_bits_photometric_and_transfer_syntax(cohort: Cohort) -> None:
    sets = [pydicom.dcmread(p) for p in cohort.paths if p.name.endswith(".dcm") and "IM" in p.name]
    assert {d.BitsStored for d in sets} == {12, 14, 16}
    assert {d.PhotometricInterpretation for d in sets} == {"MONOCHROME1", "MONOCHROME2"}
    assert len({d.file_meta.TransferSyntaxUID for d in sets}) == 5
    assert len({d.PatientID for d in sets}) < len(sets)
    assert {d.SOPClassUID.name for d in sets} == {
        "Digital Mammography X-Ray Image Storage - For Presentation"
    }


def test_what_is_written_is_what_pydicom_reads(cohort: Cohort) -> None:
    import hashlib

    for file in cohort.files:
        if file.path.suffix == ".dcm":
            pixels = pydicom.dcmread(file.path).pixel_array
            assert hashlib.sha256(pixels.tobytes()).hexdigest() == file.pixels_sha256


def test_all_come_through_the_import_bit_for_bit(
    cohort: Cohort, imported: tuple[Study, list[ImportResult]]
) -> None:
    study, results = imported
    assert [result.status for result in results] == ["accepted"] * CASES
    for file, result in zip(cohort.files, results, strict=True):
        assert result.pixels_sha256 == file.pixels_sha256
        image = load(study, result.image_id or "")
        if file.path.suffix == ".dcm":
            np.testing.assert_array_equal(image.stored, pydicom.dcmread(file.path).pixel_array)


def test_labels_patients_and_views_reach_the_rows(
    cohort: Cohort, imported: tuple[Study, list[ImportResult]]
) -> None:
    study, _ = imported
    with study.database.read() as session:
        rows = {image.sha256: image for image in session.scalars(select(Image))}
    groups: dict[str, set[str]] = {}
    for file in cohort.files:
        assert rows[file.pixels_sha256].label == file.label
        groups.setdefault(file.patient, set()).add(rows[file.pixels_sha256].source_group)
    assert all(len(group) == 1 for group in groups.values())
    assert len(set.union(*groups.values())) == len(groups)
    assert {image.view for image in rows.values()} >= {"CC", "MLO"}


def test_air_is_black_in_every_presentation(
    cohort: Cohort, imported: tuple[Study, list[ImportResult]]
) -> None:
    import cv2

    study, results = imported
    for file, result in zip(cohort.files, results, strict=True):
        if file.path.name.startswith("IM"):
            shown = cv2.imread(str(study.presentation(result.image_id or "")), 0)
            assert np.percentile(shown, 5) <= 6, file.path.name
            assert shown.max() > 150


def test_no_name_nor_identifier_is_anywhere_in_the_study(
    cohort: Cohort, imported: tuple[Study, list[ImportResult]]
) -> None:
    study, _ = imported
    hidden = _identifiers(cohort)
    assert len(hidden) > 20
    for path in (p for p in study.folder.rglob("*") if p.is_file()):
        data = path.read_bytes().lower()
        for word in hidden:
            assert word.lower() not in data, f"{word!r} in {path.name}"
            assert word.decode().lower().encode("utf-16-le") not in data


def test_truth_lies_on_the_picture_and_a_lesion_comes_first(cohort: Cohort) -> None:
    truth = read_truth(cohort.truth)
    for file in cohort.files:
        assert truth[file.pixels_sha256] == file.findings
        assert all(f.x > 0 and f.y > 0 and f.radius > 0 for f in file.findings)
        if file.label in LESIONS:
            assert file.findings[0].weight == 1.0
    assert json.loads(cohort.truth.read_text())[cohort.files[0].pixels_sha256]["label"] == "normal"


def test_the_same_seed_gives_the_same_pixels_and_another_does_not(tmp_path: Path) -> None:
    first, again = (write_cohort(tmp_path / name, 2, seed=5) for name in ("a", "b"))
    other = write_cohort(tmp_path / "c", 2, seed=6)
    digests = [[f.pixels_sha256 for f in c.files] for c in (first, again, other)]
    assert digests[0] == digests[1]
    assert set(digests[0]).isdisjoint(digests[2])


@pytest.mark.parametrize("lesion", LESIONS)
def test_a_lesion_is_brighter_than_the_same_breast_without_it(lesion: str) -> None:
    shape = BreastShape(512, 416, 0.7, 0.3)
    with_it = draw_mammogram(shape, lesion, oblique=False, right=True, rng=np.random.default_rng(1))
    without = draw_mammogram(
        shape, "normal", oblique=False, right=True, rng=np.random.default_rng(1)
    )
    found = with_it.findings[0]
    y, x = np.mgrid[:512, :416]
    near = np.hypot(x - found.x, y - found.y) < found.radius
    gain = with_it.brightness - without.brightness
    assert gain[near].mean() > 0.02
    assert gain[near].mean() > 5 * abs(gain[~near].mean())


def test_less_than_one_case_is_no_cohort(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        write_cohort(tmp_path, 0, seed=1)


def _identifiers(cohort: Cohort) -> set[bytes]:
    words: set[str] = {path.name for path in cohort.paths}
    for path in (p for p in cohort.paths if p.suffix == ".dcm"):
        data = pydicom.dcmread(path, stop_before_pixels=True)
        words |= {str(data.get(k, "")) for k in _HIDDEN}
        words |= set(str(data.PatientName).split("^"))
    return {word.encode() for word in words if len(word) > 4}


_HIDDEN = (
    "PatientID", "PatientName", "PatientBirthDate", "InstitutionName", "ReferringPhysicianName",
    "AccessionNumber", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate",
)  # fmt: skip
