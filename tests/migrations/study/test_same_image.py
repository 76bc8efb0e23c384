"""Which image of a server, or of a folder, is which of mine."""

import pytest

from migrations.study.same_image import ImageIdentity, same_images

MINE = ImageIdentity("mine", "a" * 64, 4, 5, 1, "uint16", "MONOCHROME2", "patient")


def theirs(**other: object) -> ImageIdentity:
    return MINE._replace(id="theirs", **other)


def test_the_same_in_everything_is_the_same() -> None:
    assert same_images([MINE], [theirs()]) == {"mine": "theirs"}


@pytest.mark.parametrize(
    "other",
    [{"sha256": "b" * 64}, {"rows": 5, "columns": 4}, {"frames": 2}, {"dtype": "int16"},
     {"photometric": "MONOCHROME1"}],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_another_picture_is_another_image(other: dict[str, object]) -> None:
    assert same_images([MINE], [theirs(**other)]) == {}


def test_numbers_that_were_never_kept_match_any() -> None:
    assert same_images([MINE], [theirs(dtype=None)]) == {"mine": "theirs"}
    signed = MINE._replace(id="signed", dtype="int16")
    assert same_images([MINE, signed], [theirs(dtype=None)]) == {}


def test_a_group_of_another_key_is_taken_for_the_same_patient() -> None:
    assert same_images([MINE], [theirs(source_group="hashed elsewhere")]) == {"mine": "theirs"}


def test_equal_pixels_of_two_patients_are_not_confused() -> None:
    other = MINE._replace(id="of another", source_group="another")
    assert same_images([MINE, other], [theirs(source_group="another")]) == {"of another": "theirs"}
    elsewhere = [theirs(source_group="x"), theirs(source_group="y")._replace(id="second")]
    assert same_images([MINE], elsewhere) == {}
    assert same_images([MINE, other], [theirs(source_group="hashed elsewhere")]) == {}
