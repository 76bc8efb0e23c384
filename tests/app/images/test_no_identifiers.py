"""No name, date of birth, institution or original UID: every byte of a study is searched."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.hanging.import_command import main
from app.images.clearing import black_out, clear, to_clear
from app.images.importing.importer import import_paths
from app.station import Station
from migrations.study.folder import Study
from tests.app.images.image_files import good

NAMES = ("Quillfeather", "Adalbertine", "Okonkwo-Featherstone", "Zsigmondy", "Brockenhexe")
PLACES = ("Hollerstauden Klinik", "Wolkenkuckucksweg 17")
NUMBERS = ("PID-99812-X", "ACC-773311", "19610203", "1961-02-03", "STUD-4711", "0171-5550123")
DAYS = ("20240506", "2024-05-06")


def named_file(path: Path, seed: int) -> list[str]:
    logging.disable(logging.CRITICAL)  # pydicom writes down what it finds odd in what we write
    try:
        return _named_file(path, seed)
    finally:
        logging.disable(logging.NOTSET)


def _named_file(path: Path, seed: int) -> list[str]:
    """Write a file that tells who it is wherever a file can; return what must not be found."""
    dataset = pydicom.dcmread(good(path, seed))
    if "BurnedInAnnotation" in dataset:
        del dataset.BurnedInAnnotation
    uids = {
        name: generate_uid()
        for name in (
            "SOPInstanceUID",
            "StudyInstanceUID",
            "SeriesInstanceUID",
            "FrameOfReferenceUID",
        )
    }
    for name, value in uids.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = uids["SOPInstanceUID"]
    dataset.PatientName = f"{NAMES[0]}^{NAMES[1]}"
    dataset.PatientID, dataset.AccessionNumber, dataset.StudyID = (NUMBERS[i] for i in (0, 1, 4))
    dataset.PatientBirthDate, dataset.StudyDate = NUMBERS[2], DAYS[0]
    dataset.InstitutionName, dataset.InstitutionAddress = PLACES
    dataset.ReferringPhysicianName, dataset.OperatorsName = NAMES[2], NAMES[3]
    dataset.PatientTelephoneNumbers = NUMBERS[5]
    dataset.ImageComments = dataset.StudyDescription = f"Seen by {NAMES[4]} at {PLACES[0]}"
    dataset.ImageComments += f", born {NUMBERS[3]}"
    dataset.WindowCenterWidthExplanation = [f"for {NAMES[0]}", "B", NUMBERS[0]]
    dataset.Manufacturer, dataset.ManufacturerModelName = f"Made for {PLACES[0]}", "Model 7"
    dataset.BodyPartExamined = NUMBERS[0]
    dataset.add_new(0x00091001, "LO", NAMES[4])
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "PN", NAMES[0])
    hidden = np.zeros((40, 30), np.uint8)
    hidden[3, :5] = 1
    dataset.add_new(0x60000010, "US", 40)
    dataset.add_new(0x60000011, "US", 30)
    dataset.add_new(0x60003000, "OW", np.packbits(hidden).tobytes() + NAMES[1].encode())
    dataset.add_new(0x60000022, "LO", NAMES[2])
    code = Dataset()
    code.CodeMeaning, code.CodeValue, code.CodingSchemeDesignator = NAMES[3], "1", "L"
    dataset.ProcedureCodeSequence = Sequence([code])
    table = Dataset()
    table.LUTDescriptor, table.LUTExplanation = [4, 0, 12], f"{NAMES[0]} {NUMBERS[0]}"
    table.LUTData = np.array([0, 1000, 2000, 4095], np.uint16).tobytes()
    dataset.VOILUTSequence = Sequence([table])
    dataset.save_as(path)
    return [*uids.values()]


def spellings(secret: str) -> Iterator[bytes]:
    for text in {secret, secret.lower(), secret.upper()}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield text.encode(encoding)


def found(secrets: list[str], files: list[Path]) -> list[tuple[str, str]]:
    """Return secrets and the files they stand in."""
    texts = {file: file.read_bytes() for file in files}
    return [
        (secret, file.name)
        for secret in secrets
        for spelling in spellings(secret)
        for file, data in texts.items()
        if spelling in data or spelling.lower() in data.lower()
    ]


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "log.txt"
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setLevel(logging.DEBUG)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield path
    root.setLevel(before)
    root.removeHandler(handler)
    handler.close()


@pytest.mark.filterwarnings("ignore")
def test_every_byte_of_a_study_its_log_and_the_titles_is_free_of_identifiers(
    study: Study, tmp_path: Path, log_file: Path, qtbot, no_leftovers
) -> None:
    source = tmp_path / f"{NAMES[0]}_{NAMES[1]}"
    source.mkdir()
    secrets = [*NAMES, *PLACES, *NUMBERS, *DAYS]
    for number in range(2):
        secrets += named_file(source / f"{NAMES[2]}-{number}.dcm", number)
    (source / f"{NAMES[3]}.dcm").write_bytes(b"no image of " + NAMES[4].encode())
    secrets_in = found(secrets, [path for path in source.iterdir()])
    assert {secret for secret, _ in secrets_in} >= {*NAMES[:2], *PLACES, NUMBERS[0], secrets[-1]}
    labels = tmp_path / "labels.csv"
    labels.write_text(f"image,label,patient,case\n{NAMES[2]}-0.dcm,mass,{NAMES[0]},{NUMBERS[1]}\n")
    results = import_paths(study, [source], labels=labels, linkage=tmp_path / "who.csv")
    assert sorted(result.status for result in results) == ["accepted", "accepted", "refused"]
    waiting = to_clear(study)
    black_out(study, waiting[0].image_id, [(0, 0, 5, 5)], "AB")
    clear(study, [image.image_id for image in waiting], "AB")
    titles = titles_while_reading(study, qtbot)
    study.backup()
    files = [path for path in study.folder.rglob("*") if path.is_file()]
    assert any(path.name == "foveate.sqlite" for path in files)
    assert len(files) >= 9
    assert found(secrets, [*files, log_file]) == []
    assert not any(NAMES[2] in str(path) for path in files)
    (tmp_path / "titles.txt").write_text("\n".join(titles), encoding="utf-8")
    assert found(secrets, [tmp_path / "titles.txt"]) == []
    assert {NAMES[0], NUMBERS[0], secrets[-2]} <= {
        secret for secret, _ in found(secrets, [tmp_path / "who.csv"])
    }


def titles_while_reading(study: Study, qtbot) -> list[str]:
    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    titles = {widget.windowTitle() for widget in QApplication.topLevelWidgets()}
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: station.sitting.reading.reading)
    qtbot.keyClick(station.window, Qt.Key.Key_1)
    titles |= {widget.windowTitle() for widget in QApplication.topLevelWidgets()}
    station.close()
    assert any("Foveate" in title for title in titles)
    return sorted(titles)


@pytest.mark.filterwarnings("ignore")
def test_the_command_line_leaves_nothing_either(
    tmp_path: Path, log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in" / f"{NAMES[1]}.dcm"
    path.parent.mkdir()
    secrets = [*NAMES, *PLACES, *NUMBERS, *DAYS, *named_file(path, 3)]
    assert main(["--study", str(tmp_path / "study"), str(path.parent), "--json"]) == 0
    files = [file for file in (tmp_path / "study").rglob("*") if file.is_file()]
    assert found(secrets, [*files, log_file]) == []
