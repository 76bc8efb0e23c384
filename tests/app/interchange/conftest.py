"""A study with two small images, imported once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from app.images.importing.importer import ImportResult, import_paths
from app.interchange.matching import Matcher
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from tests.app.interchange.gaze_files import picture

NAMES = ("P1", "b2")


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> tuple[Path, list[ImportResult]]:
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEATE_CONFIG_DIR", str(folder / "config"))
        study = Study.create(folder / "study", StudySettings())
        pictures = [picture(folder / f"{name}.png", k) for k, name in enumerate(NAMES)]
        results = import_paths(study, pictures)
        study.close()
    return folder / "study", results


@pytest.fixture
def study(tmp_path: Path, template):
    shutil.copytree(template[0], tmp_path / "study")
    study = Study.open(tmp_path / "study")
    yield study
    study.close()


@pytest.fixture
def matcher(study: Study, template) -> Matcher:
    matcher = Matcher.of(study)
    for result in template[1]:
        matcher.learn(result)
    return matcher
