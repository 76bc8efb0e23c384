"""Whoever acts outside a session stands in the audit, and not by name."""

import getpass
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from migrations.study.audit import this_user
from migrations.study.folder import Study
from migrations.study.outside_audit import tell_audit
from migrations.study.schema import Audit
from migrations.study.settings import StudySettings
from migrations.study.settings_change import change_settings


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a new study."""
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(getpass, "getuser", lambda: "anna.meier")
    return Study.create(tmp_path / "study", StudySettings())


def _last(study: Study) -> Audit:
    with study.database.read() as rows:
        return rows.scalars(select(Audit).order_by(Audit.id.desc())).first()


def test_a_researcher_is_the_same_each_time_and_the_login_is_nowhere(study: Study) -> None:
    assert not tell_audit(study, "exported", details={"format": "csv"}, reason=" asked ")
    row = _last(study)
    assert (row.person, row.reason) == (this_user(), "asked")
    assert row.person.startswith("user-")
    study.close()
    assert b"anna" not in (study.folder / "foveate.sqlite").read_bytes()


def test_settings_that_change_are_told_numbers_with_their_values(study: Study) -> None:
    change_settings(study, replace(study.settings, max_loss=0.5, consent="I agree."))
    assert _last(study).action == "settings changed"
    before = StudySettings().max_loss
    told = {"max_loss": {"from": before, "to": 0.5}, "consent": "changed"}
    assert _last(study).details == told
    study.close()


def test_settings_that_stay_are_not_told(study: Study) -> None:
    change_settings(study, study.settings)
    assert _last(study) is None
    study.close()
