"""`train --size auto`: the size comes from the study, and what it costs is told."""

from pathlib import Path

import pytest

from migrations.study.schema import Annotation, Image, Reading
from tests.trainer.tiny_study import make_study
from trainer.command import read_options
from trainer.errors import ConfigError
from trainer.proposed_size import proposal_text, size_option, with_size


def options_of(argv: list[str]):
    from trainer.command import _parser

    return _parser().parse_args(argv)


def test_size_auto_is_that_of_the_boxes_and_says_what_it_costs(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", images=12)
    argv = ["--study", str(study.folder), "--size", "auto", "--encoder", "vit_s_14"]
    with pytest.raises(ConfigError, match="needs 10 boxes"):
        read_options(argv)
    with study.database.write() as session:
        for image in session.query(Image):
            image.rows = image.columns = 2000
        for image, reading in zip(session.query(Image), session.query(Reading), strict=True):
            session.add(
                Annotation(
                    reading_id=reading.id, image_id=image.id, time_us=1, kind="box",
                    x_image=5, y_image=5, width_image=250, height_image=100,
                )
            )  # fmt: skip
    _, config = read_options(argv)
    assert config.size == 266  # 32 px by an eighth is 256; a multiple of 14
    _, said = with_size(options_of(argv), [{"encoder": "vit_s_14", "size": "auto"}])
    assert "half of the 12 boxes are longer than 12.5%" in said
    assert "4.3 times as long as at 128 px" in said
    assert proposal_text is not None


def test_a_size_is_a_number_or_auto() -> None:
    assert (size_option("96"), size_option("auto")) == (96, "auto")
    with pytest.raises(SystemExit):
        options_of(["--size", "large"])
    with pytest.raises(ConfigError, match="Use --study"):
        read_options(["--images", ".", "--size", "auto"])
    _, config = read_options(["--images", ".", "--size", "96"])
    assert config.size == 96
