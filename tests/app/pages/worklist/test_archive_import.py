"""Images of the hospital's archive, fetched from the worklist page."""

from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from app.images.pacs import credentials
from app.images.pacs.asked import Asked
from app.images.pacs.dicomweb import FoundStudy
from app.pages.worklist.archive_dialog import ArchiveDialog, Wanted
from app.pages.worklist.importing import ImportController
from app.pages.worklist.page import WorklistPage
from app.pages.worklist.several_studies import Question, SeveralStudiesDialog
from migrations.study.folder import Study
from migrations.study.schema import Image
from migrations.study.settings import StudySettings
from tests.app.images.pacs.orthanc import MISSING, REASON, orthanc
from tests.app.station.made_up import cut_off, made_up, missed

__all__ = ["made_up"]


def test_the_dialog_asks_for_studies_and_hides_the_password(qtbot) -> None:
    parent, given = QWidget(), []
    qtbot.addWidget(parent)
    dialog = ArchiveDialog(parent, given.append)
    dialog.fields["url"].setText("http://127.0.0.1/dicom-web")
    assert not dialog.start.isEnabled()
    dialog.fields["PatientID"].setText("*")
    assert not dialog.start.isEnabled()  # a whole archive is never fetched
    dialog.fields["AccessionNumber"].setText("A 1")
    dialog.fields["user"].setText("anna")
    dialog.fields["password"].setText("swordfish")
    assert dialog.fields["password"].echoMode() == QLineEdit.EchoMode.Password
    assert all(line.accessibleName() for line in dialog.fields.values())
    dialog.start.click()
    assert given[0].keys == (("AccessionNumber", "A 1"),)
    assert given[0].credentials().password == "swordfish"
    assert "swordfish" not in repr(given[0])


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.filterwarnings("ignore")
def test_images_come_in_from_a_real_archive_and_a_wrong_password_is_told(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (credentials.USER, credentials.PASSWORD, credentials.TOKEN):
        monkeypatch.delenv(name, raising=False)
    study = Study.create(tmp_path / "study", StudySettings())
    page, parent = WorklistPage(), QObject()
    qtbot.addWidget(page)
    imports = ImportController(page, parent)
    imports.set_study(study)
    shown: list[tuple[str, list[tuple[str, str]]]] = []
    show = page.show_imported

    def kept(text, listed, *more) -> None:
        shown.append((text, listed))
        show(text, listed, *more)

    monkeypatch.setattr(page, "show_imported", kept)
    keys = (("PatientID", "1CT1"),)
    with orthanc(tmp_path, login=("anna", "swordfish")) as archive:
        assert archive.store(Path(str(get_testdata_file("CT_small.dcm"))).read_bytes())

        def fetched(password: str, listed: Path | None = None) -> tuple[str, list[tuple[str, str]]]:
            with qtbot.waitSignal(imports.changed):
                imports.fetch(
                    Wanted(archive.url, () if listed else keys, listed, None, "anna", password)
                )
                assert not page.from_archive.isEnabled()
            assert page.from_archive.isEnabled()
            return shown[-1]

        _, listed = fetched("wrong")
        assert "The user or password is wrong." in listed[0][1]
        assert "--" not in listed[0][1]
        assert fetched("swordfish")[0] == "1 added."
        assert fetched("swordfish")[0] == "0 added, 1 already in the study."
        (tmp_path / "list.csv").write_text("accession\nNONE-1\n")
        assert "no images that match" in fetched("swordfish", tmp_path / "list.csv")[1][0][1]
    with study.database.read() as session:
        assert session.query(Image).count() == 1
    assert not any(b"swordfish" in p.read_bytes() for p in study.folder.rglob("*") if p.is_file())
    study.close()
    parent.deleteLater()


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("goes_on", [True, False])
def test_several_studies_of_a_listed_accession_number_are_shown_before_any_is_imported(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    for name in (credentials.USER, credentials.PASSWORD, credentials.TOKEN):
        monkeypatch.delenv(name, raising=False)
    study = Study.create(tmp_path / "study", StudySettings())
    page, parent = WorklistPage(), QObject()
    qtbot.addWidget(page)
    page.show()
    imports = ImportController(page, parent)
    imports.set_study(study)
    (tmp_path / "list.csv").write_text("accession\nA1\nA2\n")
    with orthanc(tmp_path) as archive:
        for k, number in enumerate(("A1", "A1", "A2")):
            assert archive.store(numbered(f"1.2.3.{k + 1}", number, day=k + 1))
        imports.fetch(Wanted(archive.url, (), tmp_path / "list.csv", None, ""))
        qtbot.waitUntil(lambda: page.findChild(SeveralStudiesDialog) is not None, timeout=120_000)
        dialog = page.findChild(SeveralStudiesDialog)
        assert dialog.list.toPlainText().splitlines() == [
            "Accession number A1:",
            "    2024-01-01, CT, 1.2.3.1",
            "    2024-01-02, CT, 1.2.3.2",
        ]
        with study.database.read() as session:
            assert session.query(Image).count() == 0
        name = "import_all_studies" if goes_on else "import_no_study"
        pressed = dialog.findChild(QAbstractButton, name)
        with qtbot.waitSignal(imports.changed, timeout=120_000):
            pressed.click()
    with study.database.read() as session:
        assert session.query(Image).count() == (3 if goes_on else 0)
    said = "3 added." if goes_on else "0 added, stopped early."
    assert page.refused.text.splitlines()[0] == f"✓ {said}"
    study.close()
    parent.deleteLater()


def test_the_question_of_several_studies_fits_when_its_words_are_longer(made_up, qtbot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    asked = Asked((("AccessionNumber", "1"),))
    several = [(asked, (FoundStudy("1.2"), FoundStudy("1.3")))]
    for question in (Question(several, Event()), Question(several * 2, Event())):
        dialog = SeveralStudiesDialog(parent, question)
        dialog.show()
        qtbot.waitExposed(dialog)
        assert (missed(dialog), cut_off(dialog)) == ([], [])
        dialog.reject()
        assert question.wait() is False


def test_every_text_of_the_dialog_is_translated_and_fits_when_it_is_longer(made_up, qtbot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ArchiveDialog(parent, lambda _wanted: None)
    dialog.show()
    qtbot.waitExposed(dialog)
    assert (missed(dialog, r"https://\S+|MG"), cut_off(dialog)) == ([], [])


def numbered(uid: str, number: str, day: int) -> bytes:
    """Return a small CT image of a study of its own, with this accession number."""
    dataset = dcmread(str(get_testdata_file("CT_small.dcm")))
    dataset.StudyInstanceUID, dataset.AccessionNumber = uid, number
    dataset.SeriesInstanceUID = f"{uid}.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{uid}.1.1"
    dataset.StudyDate = f"202401{day:02d}"
    dataset.PixelData = bytes([day]) + dataset.PixelData[1:]
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()
