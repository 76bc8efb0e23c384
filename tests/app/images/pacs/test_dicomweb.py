"""Images of an archive by DICOMweb: the same as files, whatever happens to the line."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from app.errors import ImportRefused, ImportStopped
from app.hanging.import_command import main
from app.images.importing.importer import import_paths
from app.images.pacs.asked import Asked, asked_by, read_list
from app.images.pacs.dicomweb import DicomWeb, FoundStudy
from app.images.pacs.line import Answer, Line
from app.images.pacs.multipart import CutShort, file_in
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image
from migrations.study.settings import StudySettings
from tests.app.images.pacs.orthanc import MISSING, REASON, orthanc, random_cuts
from tests.app.images.test_no_identifiers import DAYS, NAMES, NUMBERS, PLACES, found, named_file
from tests.cutting_proxy import CuttingProxy

SAMPLES = ("CT_small.dcm", "JPEG2000.dcm", "examples_palette.dcm", "MR_small.dcm", "rtplan.dcm")
needs_orthanc = pytest.mark.skipif(MISSING, reason=REASON)


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@needs_orthanc
@pytest.mark.filterwarnings("ignore")
def test_images_of_an_archive_equal_their_files_though_the_line_is_cut_twenty_times(
    study: Study,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.images.pacs.line._WAITS_S", (0.0, 0.0, 0.0))
    files = [Path(str(get_testdata_file(name))) for name in SAMPLES]
    with orthanc(tmp_path) as archive:
        assert all(archive.store(file.read_bytes()) for file in files)
        (tmp_path / "w.csv").write_text("study\n" + "".join(f"{u}\n" for u in archive.studies()))
        with closing(CuttingProxy(archive.port, iter(random_cuts(20)), answers_only=True)) as line:
            url = f"http://127.0.0.1:{line.port}/dicom-web"
            words = ["--study", str(study.folder), "--dicomweb", url, "--json"]
            words += ["--worklist", str(tmp_path / "w.csv")]
            for _ in range(40):  # each goes on where the last one ended
                if line.cuts < 20:
                    main(words)
            capsys.readouterr()
            assert main(words) == 0
        assert line.cuts == 20
        last = said(capsys)
    by_files = Study.create(tmp_path / "files", StudySettings())
    expected = import_paths(by_files, files)
    assert sorted((r["status"], r["reason"]) for r in last if r["status"] == "refused") == sorted(
        (r.status, r.reason) for r in expected if r.status == "refused"
    )
    with study.database.read() as session:
        ids = [image.id for image in session.query(Image)]
    assert len(ids) == len({r.image_id for r in expected if r.image_id})
    folders = {r["pixels_sha256"]: r["image_name"] for r in last if r["status"] != "refused"}
    for result in expected:
        if result.image_id is None:
            continue
        name = folders[result.pixels_sha256]
        own = next(i for i in ids if short_name(i) == name)
        for file in ("stored.npy", "display.json", "presentation.png"):
            one, other = by_files.image_folder(result.image_id), study.image_folder(own)
            assert (one / file).read_bytes() == (other / file).read_bytes()
    by_files.close()


@needs_orthanc
@pytest.mark.filterwarnings("ignore")
def test_names_planted_in_an_archive_are_nowhere_in_the_study(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = [*NAMES, *PLACES, *NUMBERS, *DAYS, *named_file(tmp_path / "one.dcm", 3)]
    data = (tmp_path / "one.dcm").read_bytes()
    uid = secrets[-4]
    with orthanc(tmp_path) as archive:
        assert archive.store(data)
        labels = tmp_path / "labels.csv"
        labels.write_text(f"image,label,patient\n{uid},mass,{NAMES[0]}\n")
        words = ["--study", str(study.folder), "--dicomweb", archive.url, "--labels", str(labels)]
        words += ["--query", f"AccessionNumber={NUMBERS[1]}", "--json"]
        assert main(words) == 0
        results = said(capsys)
        words[words.index("--query") + 1] = "AccessionNumber=ANOTHER"
        assert main(words) == 1
        assert "has no study with AccessionNumber=ANOTHER" in capsys.readouterr().err
    assert [result.get("status") for result in results] == ["accepted", None]
    with study.database.read() as session:
        assert session.query(Image).one().label == "mass"
    files = [path for path in study.folder.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert found(secrets, files) == []


def test_an_archive_on_another_computer_is_asked_only_if_the_study_allows_it() -> None:
    with pytest.raises(ImportStopped, match="archive_network"):
        Line("https://pacs.example.org/dicom-web", StudySettings())
    allowed = replace(StudySettings(), archive_network=True)
    Line("https://pacs.example.org/dicom-web", allowed).close()
    with pytest.raises(ImportStopped, match="not encrypted"):
        Line("http://pacs.example.org/dicom-web", allowed)
    with pytest.raises(ImportStopped, match="user and password"):
        Line("https://me:secret@127.0.0.1/dicom-web", allowed)


def test_a_whole_archive_is_not_asked_for_and_a_wrong_query_is_refused_by_name(
    tmp_path: Path,
) -> None:
    for queries, words in (([], "whole archive"), (["PatientID=*"], "is not a query"),
                           (["Patient=1"], "not a DICOM keyword")):  # fmt: skip
        with pytest.raises(ImportStopped, match=words):
            asked_by(queries)
    assert asked_by(["PatientID=4711", "StudyDate=20240101-"]) == [
        Asked((("PatientID", "4711"), ("StudyDate", "20240101-")))
    ]
    listed = tmp_path / "list.csv"
    listed.write_text("A-1\nA-2\n\n")
    assert read_list(listed) == [(("AccessionNumber", "A-1"),), (("AccessionNumber", "A-2"),)]
    listed.write_text("label;accession\nmass;A-1\n")
    assert read_list(listed) == [(("AccessionNumber", "A-1"),)]
    listed.write_text("accession,study\nA-1,1.2\n,1.3\n")
    assert read_list(listed) == [
        (("AccessionNumber", "A-1"), ("StudyInstanceUID", "1.2")),
        (("StudyInstanceUID", "1.3"),),
    ]
    listed.write_text("label;accession\nmass;\n")
    with pytest.raises(ImportStopped, match="line 2"):
        read_list(listed)
    listed.write_text("label;patient\nmass;1\n")
    with pytest.raises(ImportStopped, match="no column accession"):
        read_list(listed)


class Archive:
    """A line to an archive that has two studies under one accession number with a space."""

    host = "archive"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, path: str, _kind: str) -> Answer:
        self.asked.append(path)
        first = "offset=0" in path
        if "/instances" in path:
            image = path.split("/")[1] + ".9"
            found = [{"0020000E": {"Value": ["1.5"]}, "00080018": {"Value": [image]}}]
        else:
            found = [
                {
                    "0020000D": {"Value": [uid]},
                    "00080050": {"Value": ["A 1"]},
                    "00080020": {"Value": ["20240131"]},
                    "00080061": {"Value": ["MG", "OT"]},
                }
                for uid in ("1.1", "1.2")
            ]
        return Answer(200, "application/dicom+json", json.dumps(found if first else []).encode())


def test_a_space_is_asked_for_as_one_and_several_studies_of_a_number_are_told() -> None:
    line = Archive()
    asked = Asked((("AccessionNumber", "A 1"),))
    found = DicomWeb(line).find([asked])  # type: ignore[arg-type]
    assert "AccessionNumber=A%201&" in line.asked[0]
    one, other = (FoundStudy(uid, "2024-01-31", "MG/OT") for uid in ("1.1", "1.2"))
    assert found.several == ((asked, (one, other)),)
    assert one.text == "2024-01-31, MG/OT, 1.1"
    assert len(found.names) == 2


def test_an_answer_without_its_end_is_not_taken_for_a_file() -> None:
    kind = 'multipart/related; type="application/dicom"; boundary=XX'
    data = b"DICM\r\n--XY\r\n"
    whole = b"--XX\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--XX--"
    assert file_in(kind, whole + b"\r\n") == data
    for end in range(len(whole)):
        with pytest.raises(CutShort):
            file_in(kind, whole[:end])
    with pytest.raises(ImportRefused, match="several"):
        file_in(kind, whole[:-2] + b"\r\n\r\n1\r\n--XX--")
    with pytest.raises(ImportRefused, match="not a DICOM"):
        file_in("text/html", b"<html>")
