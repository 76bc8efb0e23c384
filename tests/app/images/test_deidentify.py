"""What is kept of a file, and what stands for its patient."""

import logging
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from app.errors import ImportStopped
from app.images.dicom import deidentify
from app.images.importing.importer import import_paths
from migrations.study.folder import Study
from tests.app.images.image_files import good


def test_the_key_is_made_once_readable_by_its_owner_alone(config: Path) -> None:
    key = deidentify.identifier_key()
    assert (len(key), deidentify.identifier_key()) == (32, key)
    if os.name == "posix":
        assert (config / "identifier.key").stat().st_mode & 0o777 == 0o600
    (config / "identifier.key").write_text("00")
    with pytest.raises(ImportStopped, match="damaged"):
        deidentify.identifier_key()


def test_a_group_is_the_same_for_a_patient_and_unlike_without_the_key() -> None:
    group = deidentify.source_group(b"a" * 32, "patient", "FICT-1")
    assert group == deidentify.source_group(b"a" * 32, "patient", " FICT-1 ")
    assert group != deidentify.source_group(b"b" * 32, "patient", "FICT-1")
    assert group != deidentify.source_group(b"a" * 32, "study", "FICT-1")


def test_no_free_text_of_a_window_is_kept(tmp_path: Path) -> None:
    from app.images.decoding.read_dicom import read_dicom

    dataset = pydicom.dcmread(good(tmp_path / "x.dcm"))
    dataset.WindowCenterWidthExplanation = ["Ms QUILL", "Bone", ""]
    dataset.BodyPartExamined = "QUILL"
    dataset.save_as(tmp_path / "x.dcm")
    attributes = read_dicom(tmp_path / "x.dcm", b"k")[1]
    assert [window.name for window in attributes.windows] == ["Window 1", "Window 2", "Window 3"]
    assert attributes.body_part is None
    assert "quill" not in attributes.to_json().lower()


def test_modality_and_voi_luts_of_real_files_are_kept() -> None:
    from app.images.decoding.read_dicom import read_dicom

    for name, keyword in (("mlut_18.dcm", "modality_lut"), ("vlut_04.dcm", "voi_luts")):
        path = Path(get_testdata_file(name, download=False) or "")
        if not path.is_file():
            pytest.skip("pydicom-data is not installed")
        dataset = pydicom.dcmread(path)
        tables = dataset.get("ModalityLUTSequence") or dataset.VOILUTSequence
        kept = getattr(read_dicom(path, b"k")[1], keyword)
        kept = kept[0] if isinstance(kept, tuple) else kept
        values = np.asarray(tables[0].LUTData, np.int64)
        assert kept.first == tables[0].LUTDescriptor[1]
        assert kept.entries == tuple((values & (2**kept.bits - 1)).tolist())


def test_logs_name_no_file(study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "Quill_Ada_bad.dcm").write_text("x")
    import_paths(study, [good(tmp_path / "Quill_Ada.dcm"), tmp_path / "Quill_Ada_bad.dcm"])
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("app")]
    assert ours == ["file 1 of this import: accepted", "file 2 of this import: refused"]
