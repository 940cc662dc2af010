"""Requests of clients that send little count more, and the rate holds all the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from detectors.outliers.false_discoveries import q_values, select_outliers
from detectors.outliers.weights import MAX_REQUESTS, weigh_requests

CLIENTS = st.lists(st.integers(-3, 12), min_size=1, max_size=60).map(np.array)


@given(CLIENTS)
def test_weights_follow_from_how_much_a_client_sent_and_are_1_on_average(
    clients: np.ndarray,
) -> None:
    weights = weigh_requests(clients)
    assert weights.mean() == pytest.approx(1)
    counts = np.array([min((clients == client).sum(), MAX_REQUESTS) for client in clients])
    squares = weights**2 * counts
    assert squares == pytest.approx(np.full(len(clients), squares[0]))


def test_no_requests_have_no_weights() -> None:
    assert weigh_requests(np.empty(0, np.int64)).shape == (0,)


@given(CLIENTS, st.integers(0, 2**32 - 1))
def test_q_values_are_those_of_benjamini_and_hochberg_on_weighted_p_values(
    clients: np.ndarray, seed: int
) -> None:
    p_values, weights = np.random.default_rng(seed).random(len(clients)), weigh_requests(clients)
    q = q_values(p_values, 1.0, weights)
    # SciPy takes no value above 1; dividing all of them by one number divides all q-values by it.
    scale = max(1.0, float((p_values / weights).max()))
    expected = false_discovery_control(p_values / weights / scale) * scale
    assert q == pytest.approx(np.minimum(expected, 1))


def test_a_p_value_above_the_bound_is_not_selected_whatever_its_weight() -> None:
    p_values = np.array([0.02, *[0.001] * 9])
    q = q_values(p_values, 0.01, weigh_requests(np.array([7, *[8] * 9])))
    assert q[0] == 1
    assert (q[1:] < 0.1).all()


def test_pictures_from_clients_of_their_own_need_not_outweigh_all_requests() -> None:
    honest = np.linspace(0.02, 1, 800)
    attacks = np.full(8, 0.0019)
    p_values = np.concatenate([honest, attacks])
    clients = np.concatenate([np.arange(800) % 100, 100 + np.arange(8)])
    assert (q_values(p_values)[800:] > 0.1).all()
    q = q_values(p_values, 1.0, weigh_requests(clients))
    assert (q[800:] <= 0.1).all()
    assert (q[:800] > 0.1).all()


@pytest.mark.parametrize("from_each", [5, 10, 40])
def test_a_campaign_of_few_clients_is_as_many_discoveries_as_pictures(from_each: int) -> None:
    p_values = np.concatenate([np.linspace(0.02, 1, 800), np.full(40, 0.001)])
    clients = np.concatenate([np.arange(800) % 200, 200 + np.arange(40) // from_each])
    assert (q_values(p_values, 1.0, weigh_requests(clients))[800:] <= 0.1).all()


@pytest.mark.parametrize("from_each", [1, 10])
@pytest.mark.parametrize("share", [0.0, 0.05])
def test_the_rate_holds_for_clients_whose_requests_are_odd_together(
    share: float, from_each: int
) -> None:
    random, proportions = np.random.default_rng(5), []
    own = 2 * random.normal(size=250)
    for _ in range(150):
        calibration = np.sort(own[random.integers(250, size=1_500)] + random.normal(size=1_500))
        clients = random.integers(250, size=1_000)
        scores = own[clients] + random.normal(size=1_000)
        attacks = int(1_000 * share)
        scores[:attacks] += 12
        clients[:attacks] = 250 + np.arange(attacks) // from_each
        higher = 1_500 - np.searchsorted(calibration, scores)
        lowest, weights = np.full(1_000, 1 / 1_501), weigh_requests(clients)
        chosen = select_outliers((1 + higher) / 1_501, lowest, 0.1, 0.01, 1_500, weights).outliers
        false = chosen[attacks:].sum()
        proportions.append(false / max(1, chosen.sum()))
    # Three standard errors above what is stated.
    assert np.mean(proportions) <= 0.1 + 3 * np.std(proportions) / np.sqrt(150)
