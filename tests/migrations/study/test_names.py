"""Names of cases, images and readings: short, stable, unambiguous, never the import order."""

import string
import uuid
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.study.errors import AmbiguousName, StudyError, UnknownName
from migrations.study.folder import Study
from migrations.study.names import ALPHABET, LENGTH, WHOLE, Names, names_of, resolve, short_name
from migrations.study.schema import StudyCase, new_id
from migrations.study.settings import StudySettings

_RANDOM = (1 << 62) - 1


def _id(random: int, at_ms: int = 0x0198_0000_0000) -> str:
    return str(uuid.UUID(int=(at_ms << 80) | (0x7 << 76) | (0x2 << 62) | random))


_close = st.integers(0, 40) | st.integers(0, 40).map(lambda high: high << 30)
_ids = st.builds(_id, _close | st.integers(0, _RANDOM), st.integers(0, (1 << 48) - 1))
_id_sets = st.sets(_ids, max_size=30)


def _by_random(ids: set[str]) -> set[str]:
    """Leave one id of each random part: two of the same never come from `new_id`."""
    return set({short_name(id_, WHOLE): id_ for id_ in sorted(ids)}.values())


def test_a_name_is_the_random_part_of_the_id_in_crockfords_base_32() -> None:
    assert short_name(_id(0)) == "000000"
    assert short_name(_id(_RANDOM)) == "ZZZZZZ"
    assert short_name(_id(1 << 57)) == "100000"
    assert short_name(_id(_RANDOM), WHOLE) == "ZZZZZZZZZZZZR"
    assert set(ALPHABET) == set(string.digits + string.ascii_uppercase) - set("ILOU")


def test_time_has_no_part_in_a_name() -> None:
    assert short_name(_id(12345, at_ms=1)) == short_name(_id(12345, at_ms=2))


@given(st.integers(0, _RANDOM), st.integers(0, _RANDOM))
def test_names_tell_all_random_parts_apart(a: int, b: int) -> None:
    assert (short_name(_id(a), WHOLE) == short_name(_id(b), WHOLE)) == (a == b)


def test_every_character_is_as_frequent_at_every_place() -> None:
    names = [short_name(new_id()) for _ in range(32 * 400)]
    for place in range(LENGTH):
        counts = Counter(name[place] for name in names)
        assert set(counts) == set(ALPHABET)
        chi_squared = sum((count - 400) ** 2 / 400 for count in counts.values())
        assert chi_squared < 90  # 31 degrees of freedom: by chance once in ten million


@given(_id_sets.map(_by_random))
def test_no_name_begins_another_and_each_finds_its_id(ids: set[str]) -> None:
    names = Names(ids)
    assert set(names) == ids
    for id_, name in names.items():
        assert len(name) >= LENGTH
        assert [i for i, other in names.items() if other.startswith(name)] == [id_]
        assert names.matching(name) == [id_]
        assert names.matching(name.lower()) == [id_]
        assert names.matching(id_) == names.matching(f" {id_.upper()} ") == [id_]


@given(_id_sets.map(_by_random))
def test_a_name_is_longer_than_six_only_where_it_must_be(ids: set[str]) -> None:
    names = Names(ids)
    for id_, name in names.items():
        if len(name) > LENGTH:
            others = [short_name(i, WHOLE) for i in ids if i != id_]
            assert any(other.startswith(name[:-1]) for other in others)


@given(_id_sets, _id_sets)
def test_merging_studies_only_lengthens_names(here: set[str], there: set[str]) -> None:
    both = _by_random(here | there)
    here, there = here & both, there & both
    merged = Names(both)
    for study in (Names(here), Names(there)):
        for id_, name in study.items():
            assert merged[id_].startswith(name)
            assert id_ in merged.matching(name)  # what was written down still leads there


@given(_id_sets, st.data())
def test_any_beginning_of_a_name_or_id_finds_all_that_it_may_mean(
    ids: set[str], data: st.DataObject
) -> None:
    ids = _by_random(ids | {_id(7)})
    names = Names(ids)
    meant = data.draw(st.sampled_from(sorted(ids)))
    name = short_name(meant, WHOLE)
    start = data.draw(st.integers(1, WHOLE).map(lambda k: name[:k]))
    found = names.matching(start)
    assert meant in found
    wanted = {i for i in ids if short_name(i, WHOLE).startswith(start)}
    assert set(found) in (wanted, wanted | {i for i in ids if i.startswith(start.lower())})
    start = data.draw(st.integers(1, 36).map(lambda k: meant[:k]))
    assert meant in names.matching(start) or len(names.matching(start)) == 1


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    ids = [_id(1 << 52), _id(5 << 57)]
    names = Names(ids)
    assert names[ids[0]].startswith("01")
    assert names.matching("o1") == names.matching("OI") == names.matching("oL") == [ids[0]]


def test_ids_of_one_random_part_keep_their_ids_as_names() -> None:
    ids = [_id(9, at_ms=1), _id(9, at_ms=2)]
    assert dict(Names(ids)) == {id_: id_ for id_ in ids}


def test_what_is_not_a_uuid_is_its_own_name() -> None:
    names = Names(["left/first.png", "left/first.PNG", _id(1)])
    assert [name for id_, name in names.items() if id_ == name] == list(names)[:2]
    assert names.matching("left/first.PNG") == ["left/first.PNG"]
    assert names.matching("left/fir") == []
    assert short_name("01900000-0000-7000-8000-000000000001.png").endswith(".png")


def test_a_text_that_means_nothing_is_told_from_one_that_may_mean_several() -> None:
    names = Names([_id(1), _id(2)], "reading")
    assert names.meant("Z") is None
    with pytest.raises(AmbiguousName, match=r'"00" may mean 2 readings: 0000000000008, '):
        names.meant("00")


@given(_id_sets.map(_by_random))
def test_a_whole_name_is_told_from_its_beginning(ids: set[str]) -> None:
    names = Names(ids)
    for id_, name in names.items():
        assert names.called(name.lower()) == names.called(id_.upper()) == id_
        assert names.called(name[:-1]) is None
        same = next((i for i in ids if names[i] == id_[:6].upper()), None)
        assert names.called(id_[:6]) in (None, same)


def test_an_empty_text_names_nothing() -> None:
    assert Names([_id(1)]).matching("  ") == []


@pytest.fixture
def study(tmp_path: Path):
    study = Study.create(tmp_path / "study", StudySettings())
    ids = [_id(0b1 << 57), _id(0b1 << 57 | 1), _id(7 << 57)]
    with study.database.write() as session:
        for k, id_ in enumerate(ids):
            session.add(StudyCase(id=id_, name=f"Case {k + 1:03d}", position=k))
    yield study
    study.close()


def test_a_case_is_found_by_id_name_beginning_and_the_name_an_older_version_stored(
    study: Study,
) -> None:
    with study.database.read() as session:
        names = names_of(session, "case")
        id_ = next(i for i, name in names.items() if name == "700000")
        for text in (id_, "700000", "7", "70", "case 003", "Case 003"):
            assert resolve(session, "case", text) == id_


def test_an_ambiguous_name_is_refused_with_what_it_may_mean(study: Study) -> None:
    with study.database.read() as session:
        with pytest.raises(AmbiguousName, match=r"2 cases.*1000000000000, 1000000000008\."):
            resolve(session, "case", "100000")
        assert resolve(session, "case", "1000000000008") == _id(0b1 << 57 | 1)


def test_an_unknown_name_is_refused_with_what_there_is(study: Study) -> None:
    with study.database.read() as session:
        with pytest.raises(UnknownName, match=r'no case "Case 009"; there are: 1000000000000, '):
            resolve(session, "case", "Case 009")
        with pytest.raises(StudyError, match=r'This study has no image "X"\.$'):
            resolve(session, "image", "X")
