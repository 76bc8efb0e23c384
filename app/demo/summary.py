"""The figures that the demo prints at its end, read from the study's rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from migrations.study.folder import Study
from migrations.study.schema import Fixation, Image, Reading


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo did, in figures; `seconds` by stage."""

    cases: int
    images: int
    samples: int
    lost_samples: int
    fixations: int
    positive_rate: float | None
    loss_first: float | None
    loss_last: float | None
    feature_spread: float | None
    seconds: dict[str, float]

    def lines(self) -> Iterator[str]:
        """Yield the summary as lines of text."""
        yield f"cases            {self.cases} read, of {self.images} images imported"
        yield f"samples          {self.samples:,} in readings, {self.lost_samples:,} lost"
        yield f"fixations        {self.fixations:,}"
        yield f"positive rate    {_figure(self.positive_rate, '.1%')} of image pairs"
        yield (
            f"loss             {_figure(self.loss_first, '.3f')} first, "
            f"{_figure(self.loss_last, '.3f')} last"
        )
        yield f"feature spread   {_figure(self.feature_spread, '.2f')} (0 collapsed, 1 spread out)"
        stages = ", ".join(f"{name} {value:.0f}" for name, value in self.seconds.items())
        yield f"seconds          {stages}; {sum(self.seconds.values()):.0f} in all"


def summarise(study: Study, result: dict[str, Any], seconds: dict[str, float]) -> Summary:
    """Return the summary of a study after the demo; `result` is the trainer's last event."""
    with study.database.read() as session:

        def total(query: Any) -> int:
            return int(session.scalar(query) or 0)

        finished = select(func.count()).select_from(Reading).where(Reading.state == "finished")
        return Summary(
            cases=total(finished),
            images=total(select(func.count()).select_from(Image)),
            samples=total(select(func.sum(Reading.sample_count))),
            lost_samples=total(select(func.sum(Reading.missing_count))),
            fixations=total(select(func.count()).select_from(Fixation)),
            positive_rate=result.get("positive_rate"),
            loss_first=result.get("loss_first"),
            loss_last=result.get("loss_last"),
            feature_spread=result.get("feature_spread"),
            seconds=seconds,
        )


def write_summary(path: Path, summary: Summary) -> None:
    """Write the summary as JSON beside the report."""
    fields = {name: getattr(summary, name) for name in Summary.__slots__}
    path.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
