"""A study as NumPy arrays and pandas tables, read only."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from devices.gaze.stored import StoredGaze, points_of
from migrations.study.answers import Answered, answers_of_all
from migrations.study.errors import NotAStudy, UnknownName
from migrations.study.folder import Study, is_writable
from migrations.study.names import Kind, Names, names_of
from migrations.study.opened import read_only_database
from migrations.study.schema import Image
from migrations.study.settings import read_settings
from migrations.study.stored_reading import stored_reading
from trainer.analysis.looked import Looked
from trainer.analysis.run import Question, analyse
from trainer.analysis.study import gaze_of_study
from trainer.api import rows as tables
from trainer.data.chains import Dropped
from trainer.data.cohort import Member, load_cohort
from trainer.data.decode import load_grey
from trainer.similarity.base import Gaze, Measure
from trainer.similarity.study_gaze import gaze_of_members

if TYPE_CHECKING:
    import pandas as pd


class StudyWarning(UserWarning):
    """Something of a study is damaged or missing; what is told beside the warning lacks it."""


def open_study(folder: Path | str) -> "StudyData":
    """Open a study to read it; use it in a `with`, or close it.

    Raises
    ------
    NotAStudy
        If the folder has no `study.toml`.
    DatabaseError
        If its database is missing, or an older Foveate wrote it (`python main.py db upgrade` brings
        it up), or a newer one.
    """
    path = Path(folder)
    if not (path / "study.toml").is_file():
        raise NotAStudy(
            f"{path} is not a Foveate study (it has no study.toml). Name a study's folder."
        )
    settings = read_settings(path / "study.toml")
    database = read_only_database(path / "foveate.sqlite", is_writable=is_writable(path))
    return StudyData(Study(path, settings, database))


@dataclass(frozen=True, slots=True)
class StudyData:
    """An open study; each table is read anew when it is asked for.

    A reading or an image is named as everywhere in Foveate, by its short name or its id. Tables
    hold both: `reading` and `reading_id`. Times `_us` are microseconds of the session's clock,
    `_image` source-image pixels from the corner of the top left one, `_deg` degrees of visual
    angle.
    """

    study: Study

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the study's database."""
        self.study.close()

    def images(self) -> "pd.DataFrame":
        """Return one row an image: size in pixels, spacing in mm, label, split, patient's group."""
        return self._named(tables.images(self.study))

    def cases(self) -> "pd.DataFrame":
        """Return one row for each image of each case."""
        return self._named(tables.cases(self.study))

    def readings(self) -> "pd.DataFrame":
        """Return one row a reading, all of them.

        `loss` and `off_image` are shares from 0 to 1; `left_out` says why a reading does not count
        and is empty where it does (a part that was resumed counts within the reading after it).
        """
        return self._named(tables.readings(self.study))

    def fixations(self, reading: str | None = None) -> "pd.DataFrame":
        """Return fixations as the station's filter found them: `start_us`, `x_image`, `x_deg`."""
        return self._named(tables.fixations(self.study, self._id(reading)))

    def events(self, reading: str | None = None) -> "pd.DataFrame":
        """Return saccades, pursuits and blinks: `amplitude_deg`, `peak_velocity_deg_s`."""
        return self._named(tables.events(self.study, self._id(reading)))

    def views(self, reading: str | None = None) -> "pd.DataFrame":
        """Return each change of what was seen; a, b, c, d, tx, ty map `_image` to `_screen`."""
        return self._named(tables.views(self.study, self._id(reading)))

    def annotations(self, reading: str | None = None) -> "pd.DataFrame":
        """Return the marks, classes and notes that stand, places in image pixels."""
        return self._named(tables.annotations(self.study, self._id(reading)))

    def answers(self, reading: str | None = None) -> "pd.DataFrame":
        """Return the answers that stand, of readings with a form and of those without."""
        import pandas as pd

        own = self._id(reading)
        ids = [own] if own is not None else list(self._names("reading"))
        with self.study.database.read() as rows:
            found = answers_of_all(rows, ids)
        names = [field.name for field in fields(Answered)]
        given = [tuple(getattr(a, n) for n in names) for each in ids for a in found.get(each, ())]
        return self._named(pd.DataFrame(given, columns=names))

    def gaze(self, reading: str) -> StoredGaze:
        """Return all samples of a reading, (N,) and (N, 2) by frame, mapped as the station did.

        Raises
        ------
        UnknownName
            If there is no such reading.
        """
        with self.study.database.read() as rows:
            stored = stored_reading(rows, self._id(reading) or "")
        return points_of(stored)

    def gaze_table(self, reading: str) -> "pd.DataFrame":
        """Return the same as a table: one row a sample, NaN where there is no gaze."""
        import pandas as pd

        gaze = self.gaze(reading)
        columns: dict[str, Any] = {"time_us": gaze.time_us}
        for frame in ("norm", "screen", "deg", "image"):
            points = getattr(gaze, f"points_{frame}")
            columns |= {f"x_{frame}": points[:, 0], f"y_{frame}": points[:, 1]}
        columns |= {"image_id": gaze.image_id, "frame": gaze.frame}
        return self._named(pd.DataFrame(columns))

    def stored_values(self, image: str) -> NDArray[Any]:
        """Return the stored values of an image as its file had them: (H, W), a stack (F, H, W).

        Read only, and mapped from the disk.
        """
        path = self.study.image_folder(self._image_id(image)) / "stored.npy"
        values: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return values

    def picture(self, image: str, frame: int | None = None) -> NDArray[np.uint8]:
        """Return what encoders are trained on, (H, W), uint8; of a stack, that of a frame (from 0).

        An image that is no stack has the frame 0, which fixations and gaze of it name.
        """
        own = self._image_id(image)
        if frame is None or (frame == 0 and self._frames_of(own) == 1):
            return load_grey(self.study.presentation(own))
        return load_grey(self.study.presentation_of_frame(own, frame))

    def looks(self) -> tuple[Looked, ...]:
        """Return each reading that counts on each of its images, as measures of areas take it."""
        found = gaze_of_study(self.study)
        self._warn_of(found.dropped, found.damaged)
        return found.looks

    def measures(
        self, areas: Path | str | None = None, *, plain: str = "none"
    ) -> dict[str, "pd.DataFrame"]:
        """Return the tables that `python main.py analyse` writes, by name: "readings", "areas".

        Parameters
        ----------
        areas
            A table of areas (docs/analysis.md).
        plain
            Areas of every image beside those: "none", "halves", "thirds" or "grid".
        """
        import pandas as pd

        question = Question(None if areas is None else Path(areas), plain)
        found = analyse(self.study, question)
        self._warn_of(found.gaze.dropped, found.gaze.damaged)
        tables = found.tables
        return {f.name: pd.DataFrame(getattr(tables, f.name)) for f in fields(tables)}

    def gaze_of_images(self) -> list[tuple[str, str, Gaze]]:
        """Return image, reader and gaze of each reading of the cohort, as measures take it."""
        cohort = load_cohort(self.study)
        self._warn_of(cohort.dropped, cohort.damaged)
        members = cohort.members
        readers = self.readings().set_index("reading_id")["reader"]
        names = self._names("image")
        gaze = gaze_of_members(members, {}).gazes
        owners = [(m, r) for m in members for r in m.readings]
        return [
            (_name_of(m, names), str(readers[r.reading_id]), each)
            for (m, r), each in zip(owners, gaze, strict=True)
        ]

    def similarity(
        self, measure: str | Measure, settings: Mapping[str, Any] | None = None
    ) -> "pd.DataFrame":
        """Return how alike all readings of the cohort are, by image and reader; NaN: not defined.

        Parameters
        ----------
        measure
            The name of one that there is, or one of your own.
        settings
            Its parameters by name; the released ones where not said.
        """
        import pandas as pd

        from trainer.similarity.registry import compare

        found = self.gaze_of_images()
        result = compare(measure, [gaze for _, _, gaze in found], settings)
        index = pd.MultiIndex.from_tuples([each[:2] for each in found], names=["image", "reader"])
        return pd.DataFrame(np.where(result.valid, result.matrix, np.nan), index, index)

    def _names(self, kind: Kind) -> Names:
        with self.study.database.read() as rows:
            return names_of(rows, kind)

    def _warn_of(self, dropped: Iterable[Dropped], damaged: Iterable[Dropped]) -> None:
        """Warn of what is missing without being named in `left_out` of the readings."""
        readings = self.readings()
        out = readings[readings["left_out"] != ""]
        told = {*out["reading"], *out["reading_id"]}
        for one in (*dropped, *damaged):
            if one.id not in told:
                what = "reading" if one.kind == "chunk" else one.kind
                warnings.warn(f"{what} {one.id}: {one.reason}", StudyWarning, stacklevel=3)

    def _frames_of(self, image_id: str) -> int:
        with self.study.database.read() as rows:
            return rows.scalars(select(Image.frames).where(Image.id == image_id)).one()

    def _image_id(self, text: str) -> str:
        return self._meant("image", text)

    def _id(self, reading: str | None) -> str | None:
        return None if reading is None else self._meant("reading", reading)

    def _meant(self, kind: Kind, text: str) -> str:
        found = self._names(kind).meant(text)
        if found is None:
            raise UnknownName(f'This study has no {kind} "{text}".')
        return found

    def _named(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """Put the short name before each id of a reading, case or image."""
        kinds: tuple[Kind, ...] = ("image", "case", "reading")
        for kind in kinds:
            if f"{kind}_id" in table:
                names = self._names(kind)
                given = table[f"{kind}_id"].map(dict(names)).astype(object)
                table.insert(0, kind, given.where(given.notna(), None))
        return table


def _name_of(member: Member, names: Names) -> str:
    image_id, mark, frame = member.image_id.partition("#")
    return names[image_id] + (f"{mark}{int(frame)}" if mark else "")
