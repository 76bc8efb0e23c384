"""Images that are sent: the same as files, and success is said of what is in the study alone."""

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file

from app.hanging import receive_command
from app.images.importing.importer import import_paths
from app.images.pacs.listener import Listener, _name_of
from migrations.study.folder import Study
from migrations.study.schema import Image
from migrations.study.settings import StudySettings
from tests import PATIENCE_S
from tests.app.images.pacs.orthanc import MISSING, REASON, orthanc
from tests.app.images.test_no_identifiers import DAYS, NAMES, NUMBERS, PLACES, found, named_file

pynetdicom = pytest.importorskip("pynetdicom", reason="pynetdicom (extra pacs) is missing")


@dataclass(eq=False)
class Sender(threading.Thread):
    """Sends files to a listener, each in an association of its own kind of image."""

    files: list[Path]
    again: int = 1
    answers: list[int] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        for file in self.files * self.again:
            dataset = pydicom.dcmread(file)
            entity = pynetdicom.AE("SENDER")
            entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = PATIENCE_S
            syntax = dataset.file_meta.TransferSyntaxUID
            entity.add_requested_context(dataset.SOPClassUID, syntax)
            line = entity.associate("127.0.0.1", self.port, ae_title="FOVEATE")
            assert line.is_established
            self.answers.append(line.send_c_store(dataset).Status)
            line.release()


def received(study: Study, sender: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Receive what a sender sends, which starts when the listener is there.

    Nearly no patience is enough: it counts from when senders can come, and while one is there
    or a file waits it is not quiet.
    """

    class Started(Listener):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            sender.port = self.port
            sender.start()

        def next_names(self, until: float) -> Iterator[Path]:
            """Wait for the sender, however slow the machine is."""
            while True:
                yield from super().next_names(until)
                if not sender.is_alive():
                    return

    monkeypatch.setattr(receive_command, "Listener", Started)
    monkeypatch.setattr("app.images.pacs.listener.QUIET_S", 0.1)
    code = receive_command.main(
        ["--study", str(study.folder), "--port", "0", "--until-quiet", "0.001", *words]
    )
    sender.join(PATIENCE_S)
    assert not sender.is_alive()
    return code


@pytest.mark.filterwarnings("ignore")
def test_images_that_are_sent_equal_their_files_and_come_in_once(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("CT_small.dcm", "JPEG2000.dcm", "examples_palette.dcm", "rtplan.dcm")
    files = [Path(str(get_testdata_file(name))) for name in names]
    sender = Sender(files, again=2)
    assert received(study, sender, monkeypatch) == 0
    assert sender.answers == [0, 0, 0, 0xC000] * 2
    by_files = Study.create(tmp_path / "files", StudySettings())
    expected = {r.pixels_sha256: r for r in import_paths(by_files, files) if r.image_id}
    with study.database.read() as session:
        stored = {image.sha256: image.id for image in session.query(Image)}
    assert stored.keys() == expected.keys()
    for digest, result in expected.items():
        one, other = by_files.image_folder(result.image_id), study.image_folder(stored[digest])
        for file in ("stored.npy", "display.json", "presentation.png"):
            assert (one / file).read_bytes() == (other / file).read_bytes()
    by_files.close()


@pytest.mark.filterwarnings("ignore")
def test_names_planted_in_what_is_sent_are_nowhere_in_the_study_and_labels_meet_their_image(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [*NAMES, *PLACES, *NUMBERS, *DAYS, *named_file(tmp_path / "one.dcm", 3)]
    labels = tmp_path / "labels.csv"
    labels.write_text(f"image,label,patient\n{secrets[-4]},mass,{NAMES[0]}\n")
    sender = Sender([tmp_path / "one.dcm"])
    assert received(study, sender, monkeypatch, "--labels", str(labels)) == 0
    assert sender.answers == [0]
    with study.database.read() as session:
        assert session.query(Image).one().label == "mass"
    files = [path for path in study.folder.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert found(secrets, files) == []


def test_another_computer_may_send_only_if_the_study_allows_it(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert receive_command.main(["--study", str(study.folder), "--host", "0.0.0.0"]) == 1
    assert "archive_network" in capsys.readouterr().err


def test_a_uid_that_is_none_is_in_no_warning(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named_file(tmp_path / "one.dcm", 3)
    data = (tmp_path / "one.dcm").read_bytes()
    uid = str(pydicom.dcmread(tmp_path / "one.dcm").StudyInstanceUID)
    assert _name_of(data, "1.2").parts[0] == uid
    wrong = "Quill^Anna".ljust(len(uid), "9").encode()
    said = data.replace(uid.encode(), wrong)
    assert said != data
    assert _name_of(said, "1.2").parts[0] == "-"  # and no warning, which fails a test here

    def quoting(_study: Study, _arguments: object) -> int:
        thread = threading.Thread(target=warnings.warn, args=("UI: 'Quill^Anna'",))
        thread.start()
        thread.join()
        return 0

    monkeypatch.setattr(receive_command, "_received", quoting)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert receive_command.main(["--study", str(study.folder)]) == 0
    assert [str(each.message) for each in told] == []


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.filterwarnings("ignore")
def test_a_real_archive_sends_and_hears_of_what_is_not_taken(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("CT_small.dcm", "JPEG2000.dcm", "examples_palette.dcm", "MR_small.dcm")
    files = [Path(str(get_testdata_file(name))) for name in names]
    heard: list[bool] = []
    with orthanc(tmp_path) as archive:
        assert all(archive.store(file.read_bytes()) for file in files)

        class Keeper(threading.Thread):
            port = 0

            def run(self) -> None:
                heard.append(archive.send_all("FOVEATE", self.port))
                assert archive.store(Path(str(get_testdata_file("rtplan.dcm"))).read_bytes())
                heard.append(archive.send_all("FOVEATE", self.port))

        assert received(study, Keeper(daemon=True), monkeypatch) == 0
    assert heard == [True, False]  # the plan has no picture, and its sender is told so
    by_files = Study.create(tmp_path / "files", StudySettings())
    expected = {r.pixels_sha256: r for r in import_paths(by_files, files)}
    with study.database.read() as session:
        stored = {image.sha256: image.id for image in session.query(Image)}
    assert stored.keys() == expected.keys()
    for digest, result in expected.items():
        assert result.image_id is not None
        one, other = by_files.image_folder(result.image_id), study.image_folder(stored[digest])
        for file in ("stored.npy", "display.json", "presentation.png"):
            assert (one / file).read_bytes() == (other / file).read_bytes()
    by_files.close()
