"""Change a study's settings, and say in the audit which."""

from dataclasses import fields
from typing import Any

from migrations.study.folder import Study
from migrations.study.outside_audit import tell_audit
from migrations.study.settings import StudySettings, write_settings


def change_settings(study: Study, settings: StudySettings) -> None:
    """Write settings to `study.toml`; they are in force when the study is opened again.

    The audit gets numbers and switches as they were and are; of texts and lists it says which ones
    changed, since each session keeps all settings in force.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_settings(study.folder / "study.toml", settings)
    changed = _changed(study.settings, settings)
    if changed:
        tell_audit(study, "settings changed", details=changed)


def _changed(before: StudySettings, after: StudySettings) -> dict[str, Any]:
    pairs = ((f.name, getattr(before, f.name), getattr(after, f.name)) for f in fields(after))
    return {name: _said(old, new) for name, old, new in pairs if old != new}


def _said(old: Any, new: Any) -> Any:
    return {"from": old, "to": new} if isinstance(new, bool | int | float) else "changed"
