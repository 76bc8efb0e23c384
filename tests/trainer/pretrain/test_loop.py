"""The loop: schedule, order, exact resume, what it writes, how it fails."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.config.config import RunConfig
from trainer.data.cache import ImageCache, cache_side
from trainer.errors import CheckpointError, OutOfMemory, TrainingDiverged
from trainer.pairs.policy import PairMatrix, PairPolicy
from trainer.pretrain.batches import batch_ids, make_batch
from trainer.pretrain.checkpoint import Identity, checkpoints, load_checkpoint, save_checkpoint
from trainer.pretrain.job import Job
from trainer.pretrain.loop import learning_rate, train
from trainer.pretrain.signals import feature_spread
from trainer.process.events import Metrics, Notice

pytestmark = pytest.mark.usefixtures("tiny_encoder")

CONFIG = RunConfig(size=16, batch=4, epochs=4, warmup_epochs=1, lr=1e-2, device="cpu")


def job_in(folder: Path, config: RunConfig = CONFIG, images: int = 10, **changes) -> Job:
    """Return a job of random images; every second one is related."""
    folder.mkdir(exist_ok=True)
    side = cache_side(config.size)
    pixels = torch.randint(
        0, 255, (images, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(5)
    )
    cache = ImageCache(pixels, torch.full((images, 2), float(side)))
    same = np.arange(images)[:, None] % 2 == np.arange(images)[None, :] % 2
    relation = PairMatrix.of(same.astype(float), np.ones(images, bool), 0.5)
    identity = Identity(config, "cohort", relation.hash(), images)
    policy = PairPolicy(relation, config.drop)
    job = Job(identity, cache, policy, folder, torch.device("cpu"))
    return replace(job, **changes)


class StopAfter:
    """Asks for a stop once the loop has asked this many times whether to go on."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def run(job: Job, stop=lambda: False):
    events: list = []
    return train(job, events.append, stop), events


def weights(outcome) -> dict[str, torch.Tensor]:
    return outcome.method.state_dict()


def test_a_run_stopped_and_continued_gives_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    straight, _ = run(job_in(tmp_path / "straight"))
    assert straight.finished
    assert straight.step == 8
    job = job_in(tmp_path / "broken")
    for steps in (3, 2):
        part, _ = run(job, StopAfter(steps))
        assert not part.finished
    last, _ = run(job)
    assert last.step == 8
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name
    left, right = (
        load_checkpoint(o.checkpoint, job.identity)["optimiser"]["state"] for o in (straight, last)
    )
    for key in left:
        for name in left[key]:
            assert torch.equal(left[key][name], right[key][name])
    assert last.loss_first == pytest.approx(straight.loss_first, abs=1e-12)
    assert last.loss_last == pytest.approx(straight.loss_last, abs=1e-12)


def test_metrics_of_a_continued_run_are_those_of_a_straight_one(tmp_path: Path) -> None:
    straight, broken = job_in(tmp_path / "straight"), job_in(tmp_path / "broken")
    run(straight)
    run(broken, StopAfter(3))
    row = '{"step": 4, "loss": 9.9}\n{"half a ro'  # a killed run wrote beyond its checkpoint
    with broken.metrics.open("a") as file:
        file.write(row)
    run(broken)
    rows = [
        [(r["step"], r["loss"]) for r in map(json.loads, j.metrics.read_text().splitlines())]
        for j in (straight, broken)
    ]
    assert rows[0] == rows[1]
    assert [step for step, _ in rows[0]] == list(range(1, 9))


def test_a_plain_run_and_a_gaze_run_see_the_same_views(tmp_path: Path) -> None:
    gaze = job_in(tmp_path / "gaze")
    plain = job_in(tmp_path / "plain", replace(CONFIG, pairs="none"), policy=PairPolicy())
    for step in range(3):
        a, b = make_batch(gaze, step), make_batch(plain, step)
        for name in ("ids", "view_1", "view_2"):
            assert torch.equal(getattr(a, name), getattr(b, name))


def test_pairs_change_what_is_learnt(tmp_path: Path) -> None:
    gaze, _ = run(job_in(tmp_path / "gaze"))
    plain, _ = run(job_in(tmp_path / "plain", policy=PairPolicy()))
    assert any(not torch.equal(v, weights(plain)[n]) for n, v in weights(gaze).items())


def test_an_epoch_shows_each_image_once_in_an_order_of_its_own() -> None:
    epochs = [torch.cat([batch_ids(7, e * 3 + s, 12, 4) for s in range(3)]) for e in range(2)]
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(12))
    assert epochs[0].tolist() != epochs[1].tolist()
    assert batch_ids(7, 0, 12, 4).tolist() != batch_ids(8, 0, 12, 4).tolist()


def test_the_rate_rises_to_its_full_height_and_falls_to_nothing(tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, epochs=50, warmup_epochs=10, lr=1.0))
    rates = [learning_rate(job, step) for step in range(job.steps)]
    assert rates[0] == pytest.approx(1 / 21)
    assert rates[20] == pytest.approx(1.0)
    assert rates[60] == pytest.approx(0.5)
    assert rates[-1] < 0.01
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_a_cohort_smaller_than_a_batch_is_one_batch(tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, batch=32), images=5)
    assert (job.batch, job.steps_per_epoch, job.steps) == (5, 1, 4)


def test_metrics_say_what_happened(tmp_path: Path) -> None:
    _, events = run(job_in(tmp_path, policy=PairPolicy()))
    metrics = [e for e in events if isinstance(e, Metrics)]
    assert [m.step for m in metrics] == list(range(1, 9))
    assert [m.epoch for m in metrics] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert all(m.positives_per_anchor == 1 for m in metrics)
    assert all(0 < m.data_wait < 1 and m.images_per_s > 0 for m in metrics)


def test_positives_per_anchor_count_the_related_images(tmp_path: Path) -> None:
    config = replace(CONFIG, batch=10, epochs=1)
    everyone = PairMatrix.of(np.ones((10, 10)), np.ones(10, bool), 0.5)
    _, events = run(job_in(tmp_path, config, policy=PairPolicy(everyone)))
    assert next(e for e in events if isinstance(e, Metrics)).positives_per_anchor == 10


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_in(tmp_path)
    run(job, StopAfter(2))
    good = checkpoints(tmp_path)
    monkeypatch.setattr(
        "trainer.pretrain.batches.apply_views", lambda *_: torch.full((4, 1, 16, 16), math.nan)
    )
    with pytest.raises(TrainingDiverged, match=r"step 3 of 8 \(epoch 2, learning rate 0\.01\)"):
        run(job)
    assert checkpoints(tmp_path) == good


@pytest.mark.parametrize(
    "said",
    [
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 GB",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 GB",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_out_of_memory_says_what_to_lower(said: str, tmp_path: Path, monkeypatch) -> None:
    def full(*_):
        raise RuntimeError(said)

    monkeypatch.setattr("trainer.pretrain.batches.apply_views", full)
    with pytest.raises(OutOfMemory, match=r"batch 4, size 16 × 16 px, resnet18.*Lower batch"):
        run(job_in(tmp_path))


@pytest.mark.parametrize(
    "said", ["shape mismatch", "CUDA error: an illegal memory access was encountered"]
)
def test_other_errors_of_torch_are_not_called_out_of_memory(
    said: str, tmp_path: Path, monkeypatch
) -> None:
    def wrong(*_):
        raise RuntimeError(said)

    monkeypatch.setattr("trainer.pretrain.batches.apply_views", wrong)
    with pytest.raises(RuntimeError, match=said):
        run(job_in(tmp_path))


def test_a_checkpoint_of_another_run_is_refused_by_naming_what_differs(tmp_path: Path) -> None:
    run(job_in(tmp_path), StopAfter(1))
    other = job_in(tmp_path, replace(CONFIG, lr=1e-3, seed=4), images=12)
    with pytest.raises(CheckpointError) as caught:
        run(other)
    message = str(caught.value)
    for line in ("lr: 0.001 here, 0.01 there", "seed: 4 here, 0 there", "images: 12 here, 10"):
        assert line in message
    assert "batch" not in message


def test_two_checkpoints_are_kept_and_a_damaged_one_falls_back(tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, checkpoint_every=2))
    outcome, _ = run(job, StopAfter(7))
    kept = checkpoints(tmp_path)
    assert [p.name for p in kept] == ["checkpoint-000000007.pt", "checkpoint-000000006.pt"]
    assert outcome.checkpoint == kept[0]
    kept[0].write_bytes(kept[0].read_bytes()[:1000])
    last, events = run(job)
    assert last.finished
    notice = next(e for e in events if isinstance(e, Notice))
    assert "checkpoint-000000007.pt is damaged" in notice.message
    assert [e.step for e in events if isinstance(e, Metrics)] == [7, 8]


def test_only_damaged_checkpoints_are_an_error(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    run(job, StopAfter(1))
    for path in checkpoints(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"has no undamaged checkpoint"):
        run(job)


def test_a_finished_run_keeps_its_newest_checkpoint_alone_unless_asked(tmp_path: Path) -> None:
    for keep, names in ((False, ["08"]), (True, ["08", "06"])):
        folder = tmp_path / str(keep)
        run(job_in(folder, replace(CONFIG, checkpoint_every=3, keep_checkpoints=keep)))
        assert [p.stem[-2:] for p in checkpoints(folder)] == names


def test_a_checkpoint_holds_plain_values_only(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    path = save_checkpoint(tmp_path, 3, job.identity, {"method": {"w": torch.ones(2)}})
    assert torch.load(path, weights_only=True)["step"] == 3
    assert not list(tmp_path.glob("*.partial"))


def test_feature_spread_is_one_on_the_sphere_and_nothing_at_a_point() -> None:
    spread = torch.randn(4000, 64, generator=torch.Generator().manual_seed(0))
    assert feature_spread(spread) == pytest.approx(1, abs=0.02)
    assert feature_spread(torch.ones(10, 64) * 3) == pytest.approx(0, abs=1e-6)
