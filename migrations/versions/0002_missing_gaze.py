"""Gaze that never came counts as lost: two more counts, and earlier readings rated again.

The limits are those of the `study.toml` beside the database, or the defaults. A reading's earlier
rating stays in `details.rated_before`.
"""

import math
import tomllib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RATED_BEFORE = "rated_before"
_DOUBTFUL, _BAD, _SILENCE_S, _SHORT_US = 0.15, 0.40, 0.5, 2_000_000
_WORDS = ("good", "doubtful", "bad")

_RECORDING = sa.table(
    "recording",
    sa.column("id", sa.String),
    sa.column("session_id", sa.String),
    sa.column("measured_rate_hz", sa.Double),
    sa.column("nominal_rate_hz", sa.Double),
)
_READING = sa.table(
    "reading",
    sa.column("id", sa.String),
    sa.column("session_id", sa.String),
    sa.column("resumes_id", sa.String),
    sa.column("state", sa.Text),
    sa.column("started_us", sa.BigInteger),
    sa.column("ended_us", sa.BigInteger),
    sa.column("sample_count", sa.BigInteger),
    sa.column("missing_count", sa.BigInteger),
    sa.column("invalid_count", sa.BigInteger),
    sa.column("loss", sa.Double),
    sa.column("verdict", sa.Text),
    sa.column("verdict_reasons", sa.JSON),
    sa.column("details", sa.JSON),
)


def upgrade() -> None:
    for name in ("missing_count", "invalid_count"):
        op.add_column("reading", sa.Column(name, sa.BigInteger(), nullable=True))
    rows = op.get_bind()
    doubtful = _doubtful_loss()
    rates = _rates(rows)
    for row in rows.execute(_READING.select().where(_READING.c.sample_count.is_not(None))).all():
        values = _rated(row, rates.get(row.session_id), doubtful)
        rows.execute(_READING.update().where(_READING.c.id == row.id).values(**values))


def downgrade() -> None:
    rows = op.get_bind()
    for row in rows.execute(_READING.select()).all():
        before = row.details.get(RATED_BEFORE)
        if before:
            kept = {k: v for k, v in row.details.items() if k != RATED_BEFORE}
            rows.execute(
                _READING.update().where(_READING.c.id == row.id).values(**before, details=kept)
            )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.drop_column("invalid_count")
        batch_op.drop_column("missing_count")


def _rates(rows: sa.Connection) -> dict[str, float]:
    """Return the rate of each session's recording: the measured one, else the nominal one."""
    found = {}
    for row in rows.execute(_RECORDING.select().order_by(_RECORDING.c.id.desc())):
        rate_hz = row.measured_rate_hz or row.nominal_rate_hz
        if rate_hz:
            found[row.session_id] = rate_hz
    return found


def _doubtful_loss() -> float:
    file = op.get_bind().engine.url.database or ""
    try:
        text = Path(file).with_name("study.toml").read_text(encoding="utf-8")
        return float(tomllib.loads(text).get("loss_alarm", _DOUBTFUL))
    except (OSError, ValueError):
        return _DOUBTFUL


def _rated(row: Any, rate_hz: float | None, doubtful: float) -> dict[str, Any]:
    """Return the new figures of a reading, computed from the existing ones."""
    came, loss = row.sample_count, 1.0 if row.loss is None else row.loss
    invalid = round(came * loss)
    if "imported" in row.details:
        return {"missing_count": 0, "invalid_count": invalid}
    duration_us = max(0, (row.ended_us or row.started_us) - row.started_us)
    due = math.floor(duration_us * (rate_hz or 0.0) / 1e6 + 0.01)
    missing = max(0, due - came)
    values: dict[str, Any] = {"missing_count": missing, "invalid_count": invalid}
    if missing == 0 or not rate_hz:
        return values
    values["loss"] = (invalid + missing) / (came + missing)
    before = {n: getattr(row, n) for n in ("loss", "verdict", "verdict_reasons")}
    values["details"] = {**row.details, RATED_BEFORE: before}
    is_part = row.state == "interrupted" or row.resumes_id is not None
    if came and not (is_part and duration_us < _SHORT_US):
        values |= _verdict(row, values["loss"], missing / rate_hz, doubtful)
    return values


def _verdict(row: Any, loss: float, silent_s: float, doubtful: float) -> dict[str, Any]:
    """Return the rating with the new loss; no reading becomes better than it was."""
    grade = 2 if loss > max(_BAD, doubtful) else int(loss > doubtful)
    if grade == 0:
        return {}
    silence = f", tracker silent for {silent_s:.1f} s" if silent_s >= _SILENCE_S else ""
    text = f"gaze lost {loss:.0%} of the time{silence}"
    others = [r for r in row.verdict_reasons or [] if not str(r).startswith("gaze lost ")]
    was = _WORDS.index(row.verdict) if row.verdict in _WORDS else 0
    return {
        "verdict": _WORDS[max(was, grade)],
        "verdict_reasons": [text, *others] if grade >= was else [*others, text],
    }
