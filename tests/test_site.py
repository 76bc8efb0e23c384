"""The documentation as a site: what `mkdocs build --strict` does not say of a page."""

import itertools
import re
from collections.abc import Iterator

import yaml

import trainer.api
from tests import ROOT

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.md"))
}
GENERATED = {"changelog.md", "contributing.md"}
"""Pages that tools/site/pages.py makes of files in the root."""


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "```", text, flags=re.MULTILINE | re.DOTALL)


def _pages_of(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
        return
    for part in nav.values() if isinstance(nav, dict) else nav:
        yield from _pages_of(part)


def test_every_page_has_one_place_in_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(_pages_of(site["nav"])) == sorted({*PAGES, *GENERATED})


def test_the_first_page_leads_to_every_other() -> None:
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", PAGES["index.md"]))
    assert linked == set(PAGES) - {"index.md"}


def test_a_page_names_another_by_a_link() -> None:
    named = re.compile(r"(?<!\]\()(?<!/)docs/[\w/-]+\.md")
    assert {page: named.findall(_without_code(text)) for page, text in PAGES.items()} == {
        page: [] for page in PAGES
    }


def test_a_list_or_table_has_a_blank_line_before_it() -> None:
    """GitHub does without that line, the site does not."""
    begins = re.compile(r"(- |\d+\. |\|)")
    within = re.compile(r"(- |\d+\. |\||#| |$)")
    late = [
        f"{page}: {line}"
        for page, text in PAGES.items()
        for before, line in itertools.pairwise(_without_code(text).splitlines())
        if begins.match(line) and not within.match(before)
    ]
    assert late == []


def test_a_row_of_a_table_stands_in_its_table() -> None:
    alone = re.compile(r"\n\n(\|[^\n]*\n)(?!\|[-| ]+\n)")
    assert [row for text in PAGES.values() for row in alone.findall(_without_code(text))] == []


def test_a_picture_says_in_words_what_it_shows() -> None:
    words = [w for text in PAGES.values() for w in re.findall(r"!\[([^]]*)\]\(", text)]
    assert words
    assert all(len(said) > 3 for said in words)


def test_the_reference_has_all_that_the_api_exports_and_plug_ins_take_part_by() -> None:
    told = re.compile(r"^::: [\w.]+\.(\w+)$", re.MULTILINE)
    assert set(told.findall(PAGES["reference/api.md"])) >= set(trainer.api.__all__)
    named = re.findall(r"`(?:[a-z_]+\.)+([A-Z]\w+)`", PAGES["plugins.md"])
    assert len(named) > 4
    assert set(told.findall(PAGES["reference/plugins.md"])) >= set(named)


def test_every_figure_of_the_choices_stands_on_a_page_of_evidence() -> None:
    figure = re.compile(r"[-−+]?\d\.\d{2,3}(?!\d)")
    evidence = "".join(PAGES[page] for page in ("similarity.md", "study.md", "gaze-methods.md"))
    known = {f.lstrip("+") for f in figure.findall(evidence.replace("−", "-"))}
    quoted = [f.lstrip("+") for f in figure.findall(PAGES["choosing.md"].replace("−", "-"))]
    assert len(quoted) > 20
    assert [f for f in quoted if f not in known and f.lstrip("-") not in known] == []
