"""Batches: one parcel to the device, pairs drawn beforehand, orders kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run
from trainer.config.config import RunConfig
from trainer.data.cache import ImageCache
from trainer.errors import CheckpointError
from trainer.methods.queue import KeyQueue, remembered_ids
from trainer.pairs.policy import PairMatrix, PairPolicy, SparsePairs
from trainer.pretrain import batches
from trainer.pretrain.batches import Batches, batch_ids, draw_pairs, make_batch
from trainer.pretrain.learner import make_learner
from trainer.pretrain.loop import take_step
from trainer.pretrain.parcel import packed, send, unpacked
from trainer.process.seeds import Stream, generator_for

CPU = torch.device("cpu")


def test_a_parcel_gives_back_all_that_was_packed() -> None:
    made = [
        torch.arange(5),
        torch.rand(3, 2, 3),
        torch.tensor([True, False, True]),
        torch.empty(0, dtype=torch.int64),
        torch.empty(0, 13),
        torch.randint(0, 255, (2, 1, 3), dtype=torch.uint8),
        torch.rand(7, dtype=torch.float64),
    ]
    given = unpacked(packed(made), made)
    assert len(given) == len(made)
    for one, other in zip(made, given, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    transposed = torch.arange(6).view(2, 3).T
    assert torch.equal(unpacked(packed([transposed]), [transposed])[0], transposed)


def test_on_the_cpu_nothing_is_copied() -> None:
    made = [torch.arange(5), torch.rand(3)]
    assert all(a is b for a, b in zip(made, send(made, CPU), strict=True))


def test_a_batch_is_sent_in_one_parcel_but_for_its_pictures(tmp_path: Path, monkeypatch) -> None:
    job, parcels = job_in(tmp_path), []

    def through_bytes(tensors, device):
        parcels.append(len(tensors))
        return unpacked(packed(tensors), tensors)

    plain = make_batch(job, 1)
    monkeypatch.setattr("trainer.pretrain.batches.send", through_bytes)
    sent = make_batch(job, 1)
    assert len(parcels) == 1
    assert all(torch.equal(a, b) for a, b in zip(plain.tensors(), sent.tensors(), strict=True))


def test_views_travel_in_one_channel(tmp_path: Path) -> None:
    batch = make_batch(job_in(tmp_path), 0)
    assert batch.view_1.shape == batch.view_2.shape == (4, 1, 16, 16)
    assert 0 <= float(batch.view_1.min()) <= float(batch.view_1.max()) <= 1


@pytest.mark.parametrize(("length", "batch"), [(7, 3), (6, 3), (3, 5), (40, 4)])
def test_the_ids_of_a_queue_follow_from_the_step(length: int, batch: int) -> None:
    queue = KeyQueue(length, 2)
    made = [torch.randint(0, 50, (batch,)) for _ in range(9)]
    for step, ids in enumerate(made):
        assert torch.equal(remembered_ids(length, step, batch, made.__getitem__), queue.ids)
        queue.add(torch.rand(batch, 2), ids)


def test_pairs_with_the_queue_are_those_of_the_ids_that_it_holds_then(tmp_path: Path) -> None:
    config = replace(CONFIG, method="mocov2", queue=7, drop=0.0)
    job = job_in(tmp_path, config)
    learner = make_learner(job)
    for step in range(6):
        held = learner.method.queue.ids.clone()
        batch = make_batch(job, step)
        asked = job.policy.related.lookup(batch.ids, held.clamp(min=0)) & (held >= 0)
        same = (batch.ids[:, None] == held) & (held >= 0)
        assert torch.equal(batch.pairs.mask, asked | same)
        take_step(job, learner, batch, step, 1e-3)


def test_pairs_of_a_batch_are_drawn_from_the_numbers_that_they_always_were(tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, batch=8))
    for step in range(3):
        ids = batch_ids(0, step, 10, 8)
        kept = torch.rand(8, 8, generator=generator_for(0, Stream.PAIRS, step)) >= 0.5
        kept = kept.triu(1) | kept.triu(1).T
        extra = job.policy.related.table[ids[:, None], ids[None, :]]
        assert torch.equal(draw_pairs(job, step, ids).mask, (extra & kept) | torch.eye(8).bool())


def test_with_a_queue_only_related_pairs_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    table = torch.rand(50, 50, generator=torch.Generator().manual_seed(1)) > 0.9
    policy = PairPolicy(PairMatrix(table), drop=0.4)
    ids, earlier = torch.arange(20), torch.randint(-1, 50, (3000,))
    related = int((table[:20][:, earlier.clamp(min=0)] & (earlier >= 0)).sum())
    drawn, plain = [], torch.rand

    def counted(*shape, **settings):
        drawn.append(shape)
        return plain(*shape, **settings)

    monkeypatch.setattr("torch.rand", counted)
    mask = policy.with_earlier(ids, earlier, torch.Generator().manual_seed(0)).mask
    assert drawn == [(related,)]
    assert not mask[:, earlier < 0].any()
    extra = int((mask & (ids[:, None] != earlier)).sum())
    assert extra / related == pytest.approx(0.6, abs=0.02)


def test_a_checkpoint_whose_pairs_were_drawn_otherwise_is_refused_in_words(tmp_path: Path) -> None:
    config = replace(CONFIG, method="mocov2", queue=7)
    job = job_in(tmp_path, config)
    outcome, _ = run(job, StopAfter(2))
    content = torch.load(outcome.checkpoint, weights_only=True)
    del content["identity"]["pair_draws"]
    torch.save(content, outcome.checkpoint)
    with pytest.raises(CheckpointError, match="dropped pairs: drawn among related pairs here"):
        run(job)
    assert "pair_draws" not in job_in(tmp_path).identity.as_dict()


def test_a_graph_of_pairs_answers_as_its_table_does_for_repeated_and_missing_ids() -> None:
    table = torch.rand(40, 40, generator=torch.Generator().manual_seed(2)) > 0.8
    table = (table | table.T) & ~torch.eye(40).bool()
    table[3] = table[:, 3] = False
    rows, columns = (x.numpy() for x in table.nonzero(as_tuple=True))
    graph = SparsePairs.of_edges(rows, columns, 40)
    ids_a, ids_b = torch.tensor([3, 0, 17, 39, 0]), torch.tensor([5, 5, 3, 39, 0, 17, 2])
    assert torch.equal(graph.lookup(ids_a, ids_b), PairMatrix(table).lookup(ids_a, ids_b))
    nobody = SparsePairs.of_edges(rows[:0], columns[:0], 40)
    assert not nobody.lookup(ids_a, ids_b).any()


def test_an_order_is_drawn_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    batches._large_order.cache_clear()
    drawn, plain = [], torch.randperm

    def counted(count, **settings):
        drawn.append(count)
        return plain(count, **settings)

    monkeypatch.setattr("torch.randperm", counted)
    made = [batch_ids(5, step, 30_000, 10_000) for step in (0, 1, 2, 1, 3)]
    assert drawn == [30_000] * 2
    assert sorted(torch.cat(made[:3]).tolist()) == list(range(30_000))


def test_threads_run_four_batches_ahead_at_most_unless_there_are_more_of_them(tmp_path) -> None:
    for workers, ahead in ((1, 2), (2, 4), (3, 4), (6, 6)):
        config = RunConfig(size=16, batch=2, epochs=9, workers=workers, device="cpu")
        job = job_in(tmp_path / str(workers), config)
        made = Batches(job, 0, make_learner(job).method)
        made.next()
        assert len(made._made) == ahead - 1
        made.close()


def test_nothing_of_a_job_lies_on_the_device_but_its_pictures(tmp_path: Path) -> None:
    # The first of several processes sends it to the others, which must open no context on its card.
    policy = PairPolicy(PairMatrix(torch.zeros(3, 3).bool()), patients=torch.arange(3))
    assert not hasattr(policy, "to")
    assert policy.related.table.device == policy.patients.device == CPU
    described = ImageCache(torch.zeros(3, 4, 4), torch.ones(3, 2)).described()
    assert described.pixels.numel() == 0
