"""Whole runs whose views are cut from stored values, by the windows of the images' readers."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import Image, ViewEvent
from tests.trainer.runs.test_more_from_gaze import add_fixations
from tests.trainer.runs.test_run import CONFIG, train
from tests.trainer.tiny_study import HEIGHT, WIDTH, make_study
from trainer.config.idle import idle_settings
from trainer.data.cohort import load_cohort
from trainer.data.stored_cache import StoredSource, display_of, load_stored, open_stored
from trainer.data.windows import ShownWindow
from trainer.errors import ImageCacheError
from trainer.pretrain.batches import make_batch
from trainer.pretrain.window_draws import shown, stored_views
from trainer.process.events import Metrics, Notice, RunFinished, RunStopped, StageStarted
from trainer.runs.prepare import prepare
from trainer.runs.run import run_training
from trainer.runs.stages import Run
from trainer.runs.study_source import StudySource

pytestmark = pytest.mark.usefixtures("tiny_encoder")
STORED = replace(CONFIG, pairs="none", depth="stored", window_jitter=0.3)
DISPLAY = {
    "version": 1, "rows": HEIGHT, "columns": WIDTH, "photometric": "MONOCHROME2", "samples": 1,
    "bits_stored": 12, "bits_allocated": 16, "signed": False, "stored_low": 0, "stored_high": 4095,
    "windows": [],
}  # fmt: skip
GROUND, LESION = 2002, 2006  # both the grey 125 of 8 bits over the whole range
CPU = torch.device("cpu")


def make_deep(folder: Path, **changes) -> Study:
    """Return a study of 12-bit images with a faint lesion, read through a narrow window."""
    study = make_study(folder, read=6)
    with study.database.read() as session:
        images = session.scalars(select(Image).order_by(Image.import_number)).all()
    for number, image in enumerate(images):
        stored = np.full((HEIGHT, WIDTH), GROUND, np.uint16)
        cv2.circle(stored, (20 + 20 * (number % 2), 40), 12, LESION, -1)
        stored[0], stored[1] = 0, 4095
        path = study.image_folder(image.id)
        np.save(path / "stored.npy", stored)
        (path / "display.json").write_text(json.dumps({**DISPLAY, **changes}))
        grey = np.rint(stored / 4095 * 255).astype(np.uint8)
        cv2.imencode(".png", grey)[1].tofile(study.presentation(image.id))
    add_fixations(study)
    look_through(study, 2004.5, 41.0)
    return study


def look_through(study: Study, center: float, width: float) -> None:
    with study.database.write() as session:
        for view in session.scalars(select(ViewEvent)).all():
            view.window_center, view.window_width = center, width


def texts(events: list) -> list[str]:
    return [e.message for e in events if isinstance(e, StageStarted | Notice)]


@pytest.fixture
def deep(tmp_path: Path):
    study = make_deep(tmp_path / "study")
    yield study
    study.close()


def job_of(study: Study, config=STORED):
    run = Run(StudySource(study), config, lambda event: None, lambda: False)
    return prepare(run).job


def test_a_run_says_what_it_keeps_and_whose_windows_it_knows(deep: Study) -> None:
    ended, events = train(deep, STORED)
    assert isinstance(ended, RunFinished)
    said = texts(events)
    assert any("depth is stored, which is experimental" in text for text in said)
    assert "Readers' windows: 6 of 8 images" in said
    kept = next(deep.cache.glob("stored-16-*.npy"))
    assert any(text.startswith("Keeping stored values (0.0 MB) in") for text in said)
    assert kept.stat().st_size == 128 + 8 * 32 * 32 * 2
    assert [t for t in texts(train(deep, STORED, fresh=True)[1]) if t.startswith("Using the sto")]
    card = json.loads(Path(ended.encoder).with_name("encoder.json").read_text(encoding="utf-8"))
    assert card["config"]["depth"] == "stored"
    assert "cut from stored values" in card["input"]["grey"]


def test_it_stops_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    found = []
    for name in ("straight", "broken"):
        study = make_deep(tmp_path / name)
        if name == "broken":
            steps: list = []
            keep = lambda e, to=steps: to.append(e) if isinstance(e, Metrics) else None  # noqa: E731
            ended = run_training(
                Run(StudySource(study), STORED, keep, lambda to=steps: len(to) >= 2)
            )
            assert isinstance(ended, RunStopped)
            assert 0 < ended.step < 6
        ended, _ = train(study, STORED)
        found.append(load_file(ended.encoder))
        study.close()
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())


def test_what_8_bits_lose_is_in_the_views_of_stored_values(deep: Study) -> None:
    """Four steps of 4,096: one grey in the picture, a tenth of black to white in the window."""
    job = job_of(deep, replace(STORED, window_jitter=0.0))
    ids = torch.arange(len(job.images))
    draw = job.stored.draw(ids, torch.Generator().manual_seed(0))
    views = shown(job.stored.cache.batch(ids, CPU), draw)[:, 0]
    pictures = job.images.batch(ids, CPU)[:, 0].float() / 255
    where = np.s_[0, 14:18]  # of the arrays, 24 × 32: about the lesion's row
    lesion, ground = np.s_[(*where, slice(6, 9))], np.s_[(*where, slice(18, 22))]
    assert float(pictures[lesion].mean()) == pytest.approx(float(pictures[ground].mean()), abs=1e-6)
    assert float(views[lesion].mean() - views[ground].mean()) == pytest.approx(0.1, abs=0.01)
    unread = views[7, 14:18, 15:18].mean() - views[7, 14:18, 2:6].mean()  # by its own window
    assert float(unread) == pytest.approx(4 / 4095, abs=1e-5)


def test_each_fixation_counts_for_the_window_it_began_under(deep: Study) -> None:
    with deep.database.write() as session:
        view = session.scalars(select(ViewEvent).order_by(ViewEvent.time_us)).first()
        later = {c.name: getattr(view, c.name) for c in view.__table__.columns if c.name != "id"}
        # Twelve fixations of 70 ms, 80 ms apart: the fifth begins with the new window.
        later |= {"time_us": view.time_us + 4 * 80_000, "kind": "window"}
        session.add(ViewEvent(**{**later, "window_center": 500.0, "window_width": 100.0}))
    first = load_cohort(deep).members[0].readings[0]
    assert first.windows == (
        ShownWindow(2004.5, 41.0, 4 * 70_000), ShownWindow(500.0, 100.0, 8 * 70_000),
    )  # fmt: skip


def test_readers_are_drawn_alike_and_their_windows_by_dwell(deep: Study) -> None:
    members = load_cohort(deep).members[:2]
    reading = members[0].readings[0]
    one = replace(reading, windows=(ShownWindow(100, 11, 30), ShownWindow(200, 11, 10)))
    other = replace(reading, windows=(ShownWindow(300, 11, 5_000_000),))
    none = replace(reading, windows=())
    members = (replace(members[0], readings=(one, other, none)), replace(members[1], readings=()))
    job = job_of(deep)
    sources = [StoredSource(m.sha256, m.stored) for m in members]
    views = stored_views(job.stored.cache, members, sources, 0.0)
    drawn = views.draw(torch.zeros(4000, dtype=torch.int64), torch.Generator().manual_seed(1))
    centres = ((drawn.lower + drawn.width / 2 - 1) / job.stored.cache.steps(0) + 0.5).round()
    shares = [float((centres == c).float().mean()) for c in (100, 200, 300)]
    assert shares == pytest.approx([0.375, 0.125, 0.5], abs=0.03)
    own = views.draw(torch.ones(1, dtype=torch.int64), torch.Generator())
    assert own.width.item() == 4095 * job.stored.cache.steps(1)


def test_jitter_moves_a_window_as_far_as_told(deep: Study) -> None:
    still, moved = (job_of(deep, replace(STORED, window_jitter=j)).stored for j in (0.0, 0.5))
    ids = torch.zeros(3000, dtype=torch.int64)
    a, b = (views.draw(ids, torch.Generator().manual_seed(2)) for views in (still, moved))
    wider = b.width / a.width
    assert (float(wider.min()), float(wider.max())) == pytest.approx((0.5, 1.5), abs=0.01)
    aside = (b.lower + b.width / 2 - a.lower - a.width / 2) / (a.width / 2)
    assert (float(aside.min()), float(aside.max())) == pytest.approx((-0.5, 0.5), abs=0.01)
    again = moved.draw(ids, torch.Generator().manual_seed(2))
    assert torch.equal(again.lower, b.lower)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"samples": 3}, "colours"),
        ({"bits_stored": 8, "bits_allocated": 8}, "8 bits or fewer"),
        ({"voi_luts": [{"first": 0}]}, "VOI LUT"),
        ({"shutter": {}, "windows": None}, "display.json that is missing or damaged"),
        ({"shutter": {"left": 3}}, "a shutter"),
        ({"version": 99}, "newer version of Foveate"),
    ],
)
def test_images_of_other_kinds_go_by_their_pictures_and_are_named(
    tmp_path: Path, changes: dict, word: str
) -> None:
    study = make_deep(tmp_path / "study", **changes)
    events: list = []
    run = Run(StudySource(study), STORED, events.append, lambda: False)
    job = prepare(run).job
    study.close()
    assert any(
        "depth is stored, which has no effect" in t and f"{word}" in t for t in texts(events)
    )
    ids = torch.arange(len(job.images))
    views = shown(job.stored.cache.batch(ids, CPU), job.stored.draw(ids, torch.Generator()))
    pictures = job.images.batch(ids, CPU).float() / 255
    torch.testing.assert_close(views, pictures, atol=1e-6, rtol=0)


def test_some_without_stored_values_are_counted(deep: Study) -> None:
    with deep.database.read() as session:
        first = session.scalars(select(Image).order_by(Image.import_number)).first()
    (deep.image_folder(first.id) / "stored.npy").unlink()
    events: list = []
    prepare(Run(StudySource(deep), STORED, events.append, lambda: False))
    assert any(
        "8-bit pictures are used for 1 image of 8 (stored values that are missing or damaged: 1)."
        in text
        for text in texts(events)
    )


def test_a_window_of_8_bits_gives_the_views_of_the_pictures(deep: Study) -> None:
    """The recipe's numbers are drawn alike: what differs is rounding to 8 bits alone."""
    look_through(deep, 2048.0, 4096.0)
    config = replace(STORED, window_jitter=0.0)
    stored = make_batch(job_of(deep, config), 1)
    eight = make_batch(job_of(deep, replace(config, depth="display")), 1)
    assert torch.equal(stored.ids, eight.ids)
    for one, other in ((stored.view_1, eight.view_1), (stored.view_2, eight.view_2)):
        # Brightness and contrast of the recipe may enlarge a grey's half by 1.25 each.
        assert float((one - other).abs().max()) <= 1.25**2 / 255


def test_another_way_to_show_an_image_is_another_cache(deep: Study) -> None:
    job = job_of(deep)
    members = load_cohort(deep).members
    sources = [StoredSource(m.sha256, m.stored) for m in members]
    assert open_stored(job.images, sources).path == job.stored.cache.path
    path = members[0].stored.with_name("display.json")
    path.write_text(json.dumps({**DISPLAY, "rescale_slope": 2.0}))
    other = open_stored(job.images, sources)
    assert other.path != job.stored.cache.path
    assert other.high[0] == 2 * job.stored.cache.high[0]
    assert display_of(sources[0]).slope == 2.0
    other.path.write_bytes(b"nothing")
    with pytest.raises(ImageCacheError, match=r"is damaged\. Delete it"):
        load_stored(other.path)


def test_jitter_without_stored_values_is_said_to_do_nothing() -> None:
    said = idle_settings(replace(STORED, depth="display"))
    assert (
        "window_jitter has no effect: it is only used with stored values, but depth is display."
        in said
    )
    assert STORED.hash() != replace(STORED, depth="display").hash()
    plain = replace(STORED, depth="display", window_jitter=0.0)
    assert not {"depth", "window_jitter"} & plain.shaping().keys()  # as runs of before
