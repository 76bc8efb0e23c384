"""pymovements opens the samples. It is not in the extra `test`: it brings pyreadr (AGPL)."""

import sys
import types

import numpy as np
import pytest

from app.interchange.exports.command import main
from tests.app.interchange.readings import add_readings
from tests.stored import gaze_of


def test_pymovements_reads_the_samples(study, tmp_path) -> None:
    sys.modules.setdefault("pyreadr", types.ModuleType("pyreadr"))  # for R files only
    pm = pytest.importorskip("pymovements", reason="brings pyreadr (AGPL); CI installs it apart")
    readings = add_readings(study, ("R-01",))
    main(["csv", "--study", str(study.folder), "--out", str(tmp_path / "out")])
    gaze = pm.gaze.from_csv(
        tmp_path / "out" / "samples.csv", time_column="time_us", time_unit="us",
        pixel_columns=["x_image", "y_image"], trial_columns="reading_id",
    )  # fmt: skip
    own = gaze.samples.filter(gaze.samples["reading_id"] == readings[0])
    points = np.array([[np.nan if v is None else v for v in p] for p in own["pixel"].to_list()])
    expected = gaze_of(study.database, readings[0]).points_image
    np.testing.assert_array_equal(points, expected)
