"""Each recipe's commands, word for word, on small files in the published layout."""

import json
import re
from pathlib import Path

import pytest

import main
from tests.recipes.layouts import LAYOUTS
from tests.recipes.page import DOWNLOADS, RECIPES, run, steps

PAGES = sorted(page.stem for page in RECIPES.glob("*.md") if page.stem != "README")


def test_every_recipe_is_tried_and_stands_in_the_table() -> None:
    assert sorted(LAYOUTS) == PAGES
    rows = re.findall(
        r"^\| \[[\w-]+\]\(([\w-]+)\.md\)", (RECIPES / "README.md").read_text("utf-8"), re.M
    )
    assert sorted(rows) == PAGES


@pytest.mark.parametrize("recipe", PAGES)
def test_a_recipe_names_only_commands_and_options_that_there_are(recipe: str, capsys) -> None:
    for step in steps(recipe):
        if step.name or step.words[0] in DOWNLOADS or step.words[1] != "main.py":
            continue
        with pytest.raises(SystemExit):
            main.main([step.words[2], "--help"])
        told = capsys.readouterr().out
        assert [w for w in step.words[3:] if w.startswith("--") and w not in told] == []


@pytest.mark.parametrize("recipe", PAGES)
def test_a_recipe_says_who_may_have_the_data_and_what_was_not_verified(recipe: str) -> None:
    page = (RECIPES / f"{recipe}.md").read_text(encoding="utf-8")
    for asked in ("| where |", "| who may |", "| how much |", "## Not verified"):
        assert asked in page


@pytest.mark.slow
@pytest.mark.parametrize("recipe", PAGES)
def test_a_recipe_leads_from_the_published_files_to_its_table(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    LAYOUTS[recipe](tmp_path)
    run(recipe, tmp_path)
    (table,) = tmp_path.rglob("probe.json")
    assert json.loads(table.read_text(encoding="utf-8"))
