"""What holds the house beyond import-linter's contracts: no way back, no circle, one list.

Each `STILL_...` names what is known to break the rule and may only get shorter.
"""

import re
import tomllib
from itertools import combinations

import pytest

from tests import ROOT
from tests.hidden_methods import hidden_methods
from tests.import_graph import House, circles, is_among, reaching
from tests.printed_names import printed_names

STILL_BOTH_WAYS: set[frozenset[str]] = set()
STILL_CIRCLES: set[frozenset[str]] = set()
STILL_INSIDE: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def house() -> House:
    return House.read(ROOT)


@pytest.fixture(scope="module")
def listed() -> dict[str, tuple[str, ...]]:
    """The one list of what may be imported inside functions, by reason."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {why: tuple(names) for why, names in table["tool"]["foveate"]["lazy-imports"].items()}


def test_no_two_folders_import_each_other_unless_one_lies_in_the_other(house: House) -> None:
    arrows = {
        (house.folder(module), house.folder(target))
        for module, targets in house.arrows().items()
        for target in targets
    }
    both = {frozenset((a, b)) for a, b in arrows if a != b and (b, a) in arrows}
    apart = {pair for pair in both if not _is_nested(*sorted(pair))}
    assert apart <= STILL_BOTH_WAYS


def _is_nested(outer: str, inner: str) -> bool:
    return inner.startswith(f"{outer}.")


def test_no_files_import_each_other_in_a_circle(house: House) -> None:
    assert circles(house.arrows()) <= STILL_CIRCLES


def test_imports_inside_functions_are_of_the_listed_libraries_and_what_loads_them(
    house: House, listed: dict[str, tuple[str, ...]]
) -> None:
    allowed = tuple(name for names in listed.values() for name in names)
    # A module of ours that needs the platform's own library loads no slower for it.
    loads_slowly = house.that_load(listed["optional"] + listed["slow"])
    wrong = {
        (each.module, each.target)
        for each in house.imports
        if each.inside
        and not is_among(each.target, allowed)
        and house.ours(each.target) not in loads_slowly
    }
    assert wrong <= STILL_INSIDE


def test_the_list_names_nothing_that_is_not_imported_inside_a_function(
    house: House, listed: dict[str, tuple[str, ...]]
) -> None:
    inside = [each.target for each in house.imports if each.inside]
    # What loads a listed library counts as a use of it: `torch` comes in through `runs.run`.
    opened = {house.ours(target) for target in inside}
    used = {
        name
        for names in listed.values()
        for name in names
        if any(is_among(target, (name,)) for target in inside) or opened & house.that_load((name,))
    }
    assert used == {name for names in listed.values() for name in names}


def test_csv_is_written_through_the_one_writer_that_lets_no_formula_through() -> None:
    rooms = [path for room in ("app", "trainer", "migrations", "devices")
             for path in (ROOT / room).rglob("*.py")]  # fmt: skip
    found = {p.name for p in rooms if re.search(r"csv\.(Dict)?[wW]riter\(", p.read_text("utf-8"))}
    assert found == {"csv_cells.py"}


def test_the_graph_sees_circles_and_ways_back_where_there_are_some() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert circles(arrows) == {frozenset("abc"), frozenset("de")}
    assert circles({"a": {"b"}, "b": set()}) == set()
    assert reaching(arrows, {"e"}) == set("abcdef")
    assert not any(_is_nested(*pair) for pair in combinations(("app.page", "app.pages"), 2))


def test_every_name_that_the_architecture_page_prints_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = list(printed_names(page))
    assert len(names) > 50
    assert [f"line {each.line}: {each.name}" for each in names if not each.exists()] == []


def test_printed_names_are_found_where_the_page_says_they_are() -> None:
    page = """
## devices
| module | what it offers |
|---|---|
| `clock` | `HostClock(speed)`, `.now_us() -> int`, `require_fine_clock()`; `zero` is no name |
| `gaze.view`, `lost` | `ViewHistory.image_points(t)`, `add(v)`, `Missing`, `a.toml`, `db push` |

## trainer, by concern
`pretrain.loop` has `train(…)` and `devices.clock.nothing(a.b)`; see `docs/training.md`.
"""
    found = {each.name: each.exists() for each in printed_names(page)}
    assert found == {
        "clock": True,
        "HostClock": True,
        "HostClock.now_us": True,
        "require_fine_clock": True,
        "gaze.view": True,
        "lost": False,
        "ViewHistory.image_points": True,
        "add": True,
        "Missing": False,
        "pretrain.loop": True,
        "train": True,
        "devices.clock.nothing": False,
    }


def test_no_attribute_of_a_window_class_hides_a_method_of_qt() -> None:
    assert hidden_methods(ROOT / "app") == set()


def test_hidden_methods_are_found_over_classes_of_ours_and_signals_are_none(tmp_path) -> None:
    (tmp_path / "asks.py").write_text(
        "class Ours(QDialog):\n    finished = Signal()\n"
        "class Asks(Ours):\n    name = 1\n"
        "    def __init__(self, done):\n        self.done, self.wanted = done, 2\n"
    )
    assert hidden_methods(tmp_path) == {"asks.Asks.done"}
