"""The gaze of a study: its images as items, in the order of import."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import Reader
from trainer.data.cohort import Member
from trainer.data.readings import ReadingGaze
from trainer.similarity.base import Gaze
from trainer.similarity.features import FeatureCache
from trainer.similarity.items import owners_of
from trainer.similarity.sources import GazeList


def reader_names(study: Study) -> dict[str, str]:
    """Return pseudonyms by the id of the reader."""
    with study.database.read() as session:
        return {i: name for i, name in session.execute(select(Reader.id, Reader.pseudonym))}


def gaze_of_members(members: Sequence[Member], names: Mapping[str, str]) -> GazeList:
    """Return the readings of members; readers by their pseudonym, else by id."""
    readings = [(member, reading) for member in members for reading in member.readings]
    return GazeList(
        tuple(member.image_id for member in members),
        [_gaze(member, reading) for member, reading in readings],
        owners_of([len(member.readings) for member in members]),
        tuple(names.get(reading.reader_id, reading.reader_id) for _, reading in readings),
        held_out=tuple(member.split == "test" for member in members),
        labels=tuple(member.label or "" for member in members),
    )


def feature_cache(study: Study) -> FeatureCache:
    """Return where a study keeps features of gaze."""
    return FeatureCache(study.cache / "gaze-features")


def _gaze(member: Member, reading: ReadingGaze) -> Gaze:
    return Gaze(
        reading.points_image,
        float(member.width),
        float(member.height),
        reading.time_us,
        reading.fixations.points_image,
        reading.fixations.duration_us,
        reading.image_px_per_deg,
    )
