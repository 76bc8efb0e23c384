"""The positive rate that the page shows is the one that the trainer goes by, in every form."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from app.workspace.similarity import StoredRelation, load_stored_relation
from devices.gaze.pair_rates import positive_rate, threshold_for_rate
from trainer.config.config import RunConfig
from trainer.errors import SimilarityError
from trainer.pairs.choose import ChosenPairs
from trainer.pairs.from_file import pairs_of_relation
from trainer.pairs.relation_file import load_relation_file
from trainer.report.data import SimilarityFigures
from trainer.report.folder_data import FolderFiles, gather_folder
from trainer.similarity.findings import odd_ones

IMAGES, UNREAD = 40, 10


@pytest.fixture
def matrix() -> np.ndarray:
    values = np.random.default_rng(0).random((IMAGES, IMAGES)).astype(np.float32)
    values = (values + values.T) / 2
    np.fill_diagonal(values, 1.0)
    return values


def names_of(count: int) -> list[str]:
    return [f"{i:03d}.png" for i in range(count)]


def shown(folder: Path, matrix: np.ndarray, valid: np.ndarray) -> StoredRelation:
    """Return a stored matrix as the page opens it."""
    np.savez(folder / "stored.npz", similarity=matrix, valid=valid, ids=names_of(len(matrix)))
    return load_stored_relation(folder / "stored.npz")


def graph_file(folder: Path, matrix: np.ndarray, read: np.ndarray, above: float) -> Path:
    """Write the pairs above a threshold as `similarity --graph` does; `read` (N,) have gaze."""
    stored = (matrix > above) & read[:, None] & read & ~np.eye(len(matrix), dtype=bool)
    graph = sparse.csr_array(np.where(stored, matrix, 0))
    np.savez(
        folder / "graph.npz", format=b"csr", data=graph.data, indices=graph.indices,
        indptr=graph.indptr, shape=graph.shape, ids=names_of(len(matrix)), valid=read,
    )  # fmt: skip
    return folder / "graph.npz"


def trained(path: Path, chosen: list[str], every: list[str], **rule: float | None) -> ChosenPairs:
    """Return the pairs that a run takes from a relation file."""
    config = RunConfig(**{"positive_rate": None, **rule})
    return pairs_of_relation(load_relation_file(path), path, every, chosen, config)


def reported(folder: Path, path: Path, count: int) -> SimilarityFigures:
    """Return what the report of a folder of images has of a relation file."""
    images = folder / "images"
    images.mkdir(exist_ok=True)
    for name in names_of(count):
        (images / name).write_bytes(name.encode())
    found = gather_folder(FolderFiles(images, relation=path), []).similarity
    assert found is not None
    return found


def read_but(unread: int, count: int = IMAGES) -> np.ndarray:
    """Return which images have gaze enough, (N,): all but the first ones."""
    return np.arange(count) >= unread


@pytest.mark.parametrize("unread", [0, UNREAD])
def test_the_page_shows_the_positive_rate_that_the_trainer_was_asked_for(
    unread: int, matrix: np.ndarray, tmp_path: Path
) -> None:
    valid = np.ones((IMAGES, IMAGES), bool)
    valid[:unread] = valid[:, :unread] = False  # read too briefly: no value
    threshold = threshold_for_rate(matrix.astype(float), valid, 0.05)
    trainers = positive_rate(matrix.astype(float), valid, threshold)
    if not 0.04 < trainers <= 0.05:
        pytest.fail(f"the trainer is to reach nearly the rate it was asked for, not {trainers}")
    assert shown(tmp_path, matrix, valid).rate(threshold) == pytest.approx(trainers)


@pytest.mark.parametrize("unread", [0, UNREAD])
def test_matrix_graph_page_and_report_give_one_rate_and_one_threshold(
    unread: int, matrix: np.ndarray, tmp_path: Path
) -> None:
    read = read_but(unread)
    valid = read[:, None] & read
    page = shown(tmp_path, matrix, valid)
    graph = graph_file(tmp_path, matrix, read, 0.5)
    names = names_of(IMAGES)
    runs = [trained(p, names, names, positive_rate=0.1) for p in (tmp_path / "stored.npz", graph)]
    threshold = threshold_for_rate(matrix, valid, 0.1)
    rate = positive_rate(matrix, valid, threshold)
    assert [run.threshold for run in runs] == [threshold] * 2
    assert [run.positive_rate for run in runs] == [rate] * 2
    assert runs[0].policy.hash() == runs[1].policy.hash()
    assert page.rate(threshold) == rate
    for path in (tmp_path / "stored.npz", graph):
        assert reported(tmp_path, path, IMAGES).positive_rate(threshold) == rate


def test_images_that_a_graph_does_not_know_are_in_no_valid_pair(
    matrix: np.ndarray, tmp_path: Path
) -> None:
    graph = graph_file(tmp_path, matrix, read_but(0), 0.5)
    every = [*names_of(IMAGES), *(f"new{i}.png" for i in range(60))]
    alone = trained(graph, names_of(IMAGES), every, positive_rate=0.1)
    among = trained(graph, every, every, positive_rate=0.1)
    assert among.threshold == alone.threshold
    assert among.positive_rate == alone.positive_rate == pytest.approx(0.1, abs=1e-3)


def test_a_rate_beyond_what_a_graph_stores_takes_all_that_it_stores(
    matrix: np.ndarray, tmp_path: Path
) -> None:
    graph = graph_file(tmp_path, matrix, read_but(0), 0.9)
    names = names_of(IMAGES)
    stored = np.count_nonzero(np.triu(matrix, 1) > 0.9)
    found = trained(graph, names, names, positive_rate=0.5)
    assert 0 < stored < 0.1 * IMAGES * (IMAGES - 1) / 2
    assert found.positive_rate == stored / (IMAGES * (IMAGES - 1) / 2)


def test_a_relation_whose_directions_differ_counts_the_pairs_that_are_trained_on(
    tmp_path: Path,
) -> None:
    matrix = np.random.default_rng(1).random((IMAGES, IMAGES)).astype(np.float32)
    np.fill_diagonal(matrix, 1.0)
    np.save(tmp_path / "r.npy", matrix)
    names = names_of(IMAGES)
    found = trained(tmp_path / "r.npy", names, names, positive_rate=0.2)
    assert found.policy.related is not None
    pairs = IMAGES * (IMAGES - 1) // 2
    assert found.positive_rate == found.policy.related.pair_count() / pairs == 0.2


def test_without_a_valid_pair_the_rate_is_nought_and_training_refuses(
    matrix: np.ndarray, tmp_path: Path
) -> None:
    nobody = np.zeros(IMAGES, bool)
    valid = np.zeros((IMAGES, IMAGES), bool)
    names = names_of(IMAGES)
    assert positive_rate(matrix, valid, 0.0) == shown(tmp_path, matrix, valid).rate(0.0) == 0.0
    graph = graph_file(tmp_path, matrix, nobody, 0.0)
    assert reported(tmp_path, graph, IMAGES).positive_rate(0.0) == 0.0
    for path in (tmp_path / "stored.npz", graph):
        with pytest.raises(SimilarityError, match="no value for any pair"):
            trained(path, names, names, positive_rate=0.3)


def test_equal_values_stand_or_fall_together_everywhere(tmp_path: Path) -> None:
    same = np.full((IMAGES, IMAGES), 0.75, np.float32)
    valid = np.ones((IMAGES, IMAGES), bool)
    page = shown(tmp_path, same, valid)
    graph = graph_file(tmp_path, same, read_but(0), 0.5)
    names = names_of(IMAGES)
    for path in (tmp_path / "stored.npz", graph):
        assert trained(path, names, names, positive_rate=0.3).positive_rate == 0.0
        assert trained(path, names, names, threshold=0.5).positive_rate == 1.0
    assert page.rate(0.75) == 0.0
    assert page.rate(0.5) == 1.0


def test_an_image_with_itself_never_counts(tmp_path: Path) -> None:
    matrix = np.eye(4, dtype=np.float32)
    valid = np.ones((4, 4), bool)
    np.fill_diagonal(valid, val=False)
    for pairs in (valid, valid | True):
        assert positive_rate(matrix, pairs, 0.5) == shown(tmp_path, matrix, pairs).rate(0.5) == 0.0
        assert threshold_for_rate(matrix, pairs, 0.5) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 7).flatmap(
        lambda n: st.tuples(
            st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=n * n, max_size=n * n),
            st.lists(st.booleans(), min_size=n, max_size=n),
        )
    ),
    st.sampled_from([-0.5, 0.0, 0.3, 0.5, 1.0]),
)
def test_page_and_findings_agree_on_rate_and_odd_images(
    drawn: tuple[list[float], list[bool]], threshold: float
) -> None:
    count = len(drawn[1])
    matrix = np.array(drawn[0], np.float32).reshape(count, count)
    matrix = np.maximum(matrix, matrix.T)
    read = np.array(drawn[1])
    valid = read[:, None] & read
    ids = tuple(names_of(count))
    page = StoredRelation(ids, np.where(valid, matrix, np.float32(np.nan)))
    told = odd_ones(matrix.astype(float), valid, ids, threshold)
    everything, nothing, without = page.extremes(threshold)
    assert page.rate(threshold) == told.positive_rate
    assert [ids[i] for i in everything] == [name for name, _ in told.everything]
    assert [ids[i] for i in nothing] == told.nothing
    assert [ids[i] for i in without] == told.without_value
