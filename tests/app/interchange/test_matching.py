"""Which image a foreign file means: by name of the study too, and never by a chance likeness."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.images.importing.importer import import_paths
from app.interchange.matching import Matcher
from devices.gaze.errors import GazeFileError
from migrations.study.folder import Study
from tests.app.interchange.gaze_files import gaze_json, imported, lines, picture


def test_gaze_names_an_image_by_its_name_in_full(study: Study, tmp_path: Path) -> None:
    matcher = Matcher.of(study)
    for image_id, name in matcher.called.items():
        for text in (name, name.lower(), image_id):
            found = matcher.find(text)
            assert found is not None
            assert found.image_id == image_id
        assert matcher.find(name[:5]) is None
        assert matcher.find(image_id[:6]) is None
    path = gaze_json(tmp_path / "x.json", [[1, 2], [3, 4]], name)
    (report,) = imported(study, "mcgip", [path], matcher)
    assert [r.image_id for r in report.readings] == [image_id]
    assert [row["image_name"] for row in report.as_dict()["readings"]] == [name]


def test_a_file_imported_in_this_run_goes_before_an_image_of_that_name(
    study: Study, matcher: Matcher
) -> None:
    first, second = matcher.called
    matcher._add(f"{matcher.called[first]}.png", second)
    found = matcher.find(f"{matcher.called[first]}.png")
    assert found is not None
    assert found.image_id == second


def test_a_table_of_matches_may_begin_a_name(study: Study, tmp_path: Path) -> None:
    matcher = Matcher.of(study)
    first, second = matcher.called
    starts = [matcher.called[i][:4].lower() for i in (first, second)]
    rows = [f"{name}.png,{start}" for name, start in zip("ab", starts, strict=True)]
    matcher.learn_csv(lines(tmp_path / "match.csv", "image,image_id", *rows))
    found = [matcher.find(name) for name in ("a.png", "b")]
    assert [each and each.image_id for each in found] == [first, second]


def test_pixels_that_several_images_share_name_none_alone(study: Study, tmp_path: Path) -> None:
    matcher = Matcher.of(study)
    first, second = matcher.images
    pixels = matcher.images[first].sha256
    matcher.images[second] = replace(matcher.images[second], sha256=pixels)
    assert matcher.find(pixels) is None
    names = ", ".join(sorted(matcher.called[i] for i in (first, second)))
    table = lines(tmp_path / "match.csv", "image,sha256", f"a.png,{pixels}")
    with pytest.raises(GazeFileError, match=f"line 2: 2 images have these pixels .{names}."):
        matcher.learn_csv(table)
    row = f"a.png,{pixels},{matcher.called[second]}"
    matcher.learn_csv(lines(tmp_path / "named.csv", "image,sha256,image_name", row))
    found = matcher.find("a.png")
    assert found is not None
    assert found.image_id == second


def test_a_table_that_names_none_or_several_is_refused_with_its_line(
    study: Study, tmp_path: Path
) -> None:
    matcher = Matcher.of(study)
    both = next(iter(matcher.called))[:2]  # ids of one time begin alike
    for text, said in ((both, "may mean 2 images"), ("nothing", "has no image nothing")):
        path = lines(tmp_path / "match.csv", "image,image_id", f"a.png,{text}")
        with pytest.raises(GazeFileError, match=f"line 2: .*{said}"):
            matcher.learn_csv(path)


@pytest.fixture
def patients(study: Study, tmp_path: Path) -> Matcher:
    files = [tmp_path / "cd" / who / "1-1.png" for who in ("P1", "P2")]
    for seed, path in enumerate(files):
        picture(path, 40 + seed)
    results = import_paths(study, files)
    matcher = Matcher.of(study)
    for result in results:
        matcher.learn(result)
    return matcher


@pytest.mark.parametrize("name", ["P2/1-1.png", "p2\\1-1.dcm", r"D:\study\P2\1-1.dcm", "/x/P2/1-1"])
def test_an_image_is_told_by_the_longest_end_of_its_path(patients: Matcher, name: str) -> None:
    found, other = patients.find(name), patients.find("P1/1-1.png")
    assert found is not None
    assert other is not None
    assert found.image_id != other.image_id


@pytest.mark.parametrize("name", ["1-1.png", "1-1", "D:/elsewhere/1-1.png"])
def test_a_name_of_several_images_is_refused_naming_two(patients: Matcher, name: str) -> None:
    with pytest.raises(GazeFileError, match=r"cd/P1/1-1\.png or cd/P2/1-1\.png"):
        patients.find(name)


def test_an_image_in_another_folder_is_never_meant(study: Study, tmp_path: Path) -> None:
    files = [tmp_path / "cd" / who / f"{name}.png" for who, name in (("P1", "a"), ("P2", "b"))]
    for seed, path in enumerate(files):
        picture(path, 50 + seed)
    results = import_paths(study, files)
    matcher = Matcher.of(study)
    for result in results:
        matcher.learn(result)
    assert matcher.find("P2/a.png") is None
    assert matcher.find("/mnt/P2/a.png") is None
    assert matcher.find("/mnt/other/a.png") is not None


def test_what_a_csv_names_goes_by_its_own_length(patients: Matcher, tmp_path: Path) -> None:
    first, second = list(patients.images)[-2:]
    rows = [f"1-1.png,{first}", f"P9/1-1.png,{second}"]
    patients.names.clear()
    patients.learn_csv(lines(tmp_path / "match.csv", "image,image_id", *rows))
    found = [patients.find(name) for name in ("x/P9/1-1.png", "x/P8/1-1.png")]
    assert [each and each.image_id for each in found] == [second, first]
