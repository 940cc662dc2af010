"""A re-ranker: it orders, says why, and its archive is arrays that nobody changed."""

from hashlib import sha256

import numpy as np
import pytest
from safetensors.numpy import save

from detectors.evidence.kinds import EvidenceKind
from detectors.ranking.fit import fit_reranker
from detectors.ranking.inputs import INPUT_NAMES, Recorded, measure_inputs
from detectors.ranking.reranker import Reranker, RerankerChanged, RerankerError
from tests.detectors.ranking.drawn_labels import draw_labels, weigh


@pytest.fixture(scope="module")
def reranker() -> Reranker:
    return fit_reranker(weigh(draw_labels(80, signal=2)), "a basis")


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def test_an_archive_is_read_as_it_was_written(reranker: Reranker) -> None:
    data = reranker.dumps()
    again = Reranker.loads(data, _digest(data))
    rows = np.random.default_rng(1).normal(size=(5, len(INPUT_NAMES)))
    assert again.basis == "a basis"
    assert again.rank(rows).tolist() == reranker.rank(rows).tolist()
    assert again.dumps() == data


def test_a_changed_archive_is_refused(reranker: Reranker) -> None:
    data = bytearray(reranker.dumps())
    digest = _digest(bytes(data))
    data[-1] ^= 1
    with pytest.raises(RerankerChanged):
        Reranker.loads(bytes(data), digest)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive at all",
        save({"weights": np.zeros(3)}),
        save({"weights": np.zeros(3)}, {"maskwatch.reranker": "[]"}),
        save({"weights": np.zeros(3)}, {"maskwatch.reranker": '{"format": 1}'}),
    ],
)
def test_what_is_no_archive_of_this_version_is_one_error(data: bytes) -> None:
    with pytest.raises(RerankerError, match="not one that this version can read"):
        Reranker.loads(data, _digest(data))


def test_a_value_that_no_fit_gives_is_refused(reranker: Reranker) -> None:
    broken = Reranker("a basis", reranker.centre, reranker.scale * 0, reranker.weights)
    data = broken.dumps()
    with pytest.raises(RerankerError):
        Reranker.loads(data, _digest(data))


def test_what_was_not_measured_says_nothing(reranker: Reranker) -> None:
    row = np.full(len(INPUT_NAMES), np.nan)
    assert reranker.rank(row[np.newaxis]).tolist() == [0.0]
    assert set(reranker.explain(row).values()) == {0.0}


def test_shares_sum_to_the_rank_and_no_input_has_it_all(reranker: Reranker) -> None:
    row = np.random.default_rng(2).normal(size=len(INPUT_NAMES))
    row[0] = 1e12
    shares = reranker.explain(row)
    assert sum(shares.values()) == pytest.approx(float(reranker.rank(row[np.newaxis])[0]))
    assert abs(shares["surprise"]) <= 4 * abs(reranker.weights[0])


def test_a_share_is_said_by_what_was_measured(reranker: Reranker) -> None:
    assert reranker.weights[INPUT_NAMES.index("looks")] > 0
    assert reranker.phrase_share("looks", 0.5) == "unusual looks"
    assert reranker.phrase_share("looks", -0.5) == "usual looks"


def test_inputs_are_what_was_recorded() -> None:
    contributions = {"glance_divergence": -9.0, "entropy_mean": 3.0, "of another version": 99.0}
    kinds = (EvidenceKind.CRAFTED, EvidenceKind.CRAFTED, EvidenceKind.ODD)
    row = measure_inputs(Recorded(0.01, contributions, None, 2.0, kinds))
    inputs = dict(zip(INPUT_NAMES, row.tolist(), strict=True))
    assert inputs["surprise"] == pytest.approx(4.605, abs=0.001)
    assert inputs["looks"] == pytest.approx(np.log(10))
    assert inputs["model"] == pytest.approx(np.log(4))
    assert (inputs["picture"], inputs["traffic"], inputs["rules"]) == (0.0, 0.0, 1.0)
    assert inputs["probing"] == pytest.approx(np.log(3))
    assert np.isnan(inputs["tampering"])
