"""Each recipe's commands, word for word, on small files in the published layout."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import main
from migrations.study.folder import Study
from tests.recipes.layouts import LAYOUTS
from tests.recipes.page import DOWNLOADS, RECIPES, run, steps
from tests.recipes.trees import IMAGES, SIDES
from trainer.data.cohort import load_cohort

READINGS = {
    "egd-cxr": IMAGES,
    "reflacx": IMAGES + 1,
    "gazesearch": IMAGES,
    "eyeassist": 3 * IMAGES,
    "inbreast": IMAGES,
    "oai": IMAGES,
}
"""How many each study gets; one image of REFLACX was read twice, one reading's gaze discarded."""
NEAR_PX = 8
PAGES = sorted(page.stem for page in RECIPES.glob("*.md") if page.stem != "README")


def test_every_recipe_is_tried_and_stands_in_the_table() -> None:
    assert sorted(LAYOUTS) == PAGES
    rows = re.findall(
        r"^\| \[[\w-]+\]\(([\w-]+)\.md\)", (RECIPES / "README.md").read_text("utf-8"), re.M
    )
    assert sorted(rows) == PAGES


def test_recipes_name_only_commands_and_options_that_there_are(capsys) -> None:
    options: dict[str, set[str]] = {}
    for step in (step for recipe in PAGES for step in steps(recipe)):
        if step.words and step.words[0] not in DOWNLOADS and step.words[1] == "main.py":
            named = {word for word in step.words[3:] if word.startswith("--")}
            options.setdefault(step.words[2], set()).update(named)
    assert {"import-gaze", "similarity", "train", "probe", "analyse"} == set(options)
    for command, named in options.items():
        with pytest.raises(SystemExit):
            main.main([command, "--help"])
        told = capsys.readouterr().out
        assert [option for option in sorted(named) if option not in told] == []


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
    (probed,) = tmp_path.rglob("probe.json")
    assert json.loads(probed.read_text(encoding="utf-8"))
    if recipe in READINGS:
        _check_cohort(tmp_path / recipe.removesuffix("-cxr"), READINGS[recipe])


def _check_cohort(folder: Path, readings: int) -> None:
    """Each image has its label and patient, and gaze where its bright spot is."""
    study = Study.open(folder)
    try:
        members = load_cohort(study).members
    finally:
        study.close()
    assert len(members) == IMAGES
    assert sum(len(member.readings) for member in members) == readings
    looked_at: dict[str, list[int]] = {}
    for member in members:
        assert member.source_group
        for reading in member.readings:
            middle = np.nanmean(reading.points_image, axis=0)
            apart = [float(np.hypot(*(middle - side))) for side in SIDES]
            assert min(apart) < NEAR_PX
            looked_at.setdefault(str(member.label), []).append(int(np.argmin(apart)))
    assert sorted(map(len, map(set, looked_at.values()))) == [1, 1]
    assert len(looked_at) == 2
