"""Labels of equal file names in different folders, as every CD and public collection has them."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import LabelsError
from app.hanging.import_command import main
from app.images.importer import import_paths
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.app.images.image_files import good

by_name_only = "labels are joined by the bare file name"
mended_by = (
    "mended where the labels' csv is joined to files: by path, with a report of what matched"
)


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a folder of two patients whose files are named alike."""
    for seed, patient in enumerate(("P1", "P2")):
        (tmp_path / "cd" / patient).mkdir(parents=True)
        good(tmp_path / "cd" / patient / "1-1.dcm", seed)
    return tmp_path / "cd"


def labels(folder: Path, *rows: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(("image,label", *rows)) + "\n")
    return path


def stored(study: Study, disc: Path, csv: Path) -> dict[str, str | None]:
    """Import a disc; return the labels that its patients' images got."""
    results = import_paths(study, [disc], labels=csv)
    with study.database.read() as rows:
        found = {image.id: image.label for image in rows.scalars(select(Image))}
    return {r.path.parent.name: found[r.image_id] for r in results}


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason=f"{by_name_only}, so others get them; {mended_by}"
)
def test_a_label_of_one_folder_is_not_given_to_a_file_of_another(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    found = stored(study, disc, labels(tmp_path, "P1/1-1.dcm,benign"))
    assert found == {"P1": "benign", "P2": None}


@pytest.mark.xfail(
    strict=True, raises=LabelsError, reason=f"{by_name_only}, so both are one row; {mended_by}"
)
def test_equal_names_in_two_folders_have_two_labels(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    csv = labels(tmp_path, "P1/1-1.dcm,benign", "P2/1-1.dcm,malignant")
    assert stored(study, disc, csv) == {"P1": "benign", "P2": "malignant"}


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason=f"the import does not say which rows of the csv matched no file; {mended_by}",
)
def test_rows_that_match_no_file_are_named(tmp_path: Path, capsys) -> None:
    image = good(tmp_path / "z01.dcm")
    csv = labels(tmp_path, "z01.dcm,benign", "not_there.dcm,malignant")
    words = ["--study", str(tmp_path / "study"), str(image), "--labels", str(csv)]
    code = main(words)
    said = "".join(capsys.readouterr())
    if code != 0 or "1 accepted" not in said:
        pytest.fail(f"the file was to be accepted: {said}")
    assert "not_there.dcm" in said
