"""Which image a foreign file means: by name of the study too, and never by a chance likeness."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.interchange.matching import Matcher
from devices.gaze.errors import GazeFileError
from migrations.study.folder import Study
from tests.app.interchange.gaze_files import gaze_json, imported, lines


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
