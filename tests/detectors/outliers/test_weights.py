"""A client's few requests are one hypothesis, and the rate holds among these."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from detectors.outliers.false_discoveries import q_values, select_outliers
from detectors.outliers.units import MAX_REQUESTS, adjust_within, form_units

REQUESTS = st.lists(
    st.tuples(st.integers(0, 12), st.floats(1e-4, 1.0)), min_size=1, max_size=60
).map(lambda pairs: (np.array([c for c, _ in pairs]), np.array([p for _, p in pairs])))


@given(st.lists(st.integers(-3, 3), max_size=60))
def test_a_client_is_one_unit_until_it_sends_too_much(clients: list[int]) -> None:
    units = form_units(np.array(clients, np.int64))
    assert {*units.tolist()} == {*range(len({*units.tolist()}))}
    for client in {*clients}:
        mine = units[np.array(clients) == client]
        expected = len(mine) if len(mine) > MAX_REQUESTS else 1
        assert len({*mine.tolist()}) == expected


@given(REQUESTS)
def test_within_a_unit_they_are_adjusted_as_benjamini_and_hochberg_do(
    requests: tuple[np.ndarray, np.ndarray],
) -> None:
    clients, p_values = requests
    units = form_units(clients)
    adjusted = adjust_within(p_values, units)
    for unit in np.unique(units):
        mine = units == unit
        assert adjusted[mine] == pytest.approx(false_discovery_control(p_values[mine]))


@given(REQUESTS, st.sampled_from([0.05, 0.1, 0.3]))
def test_of_a_selected_unit_those_are_outliers_that_hold_at_what_is_left_for_one(
    requests: tuple[np.ndarray, np.ndarray], rate: float
) -> None:
    clients, p_values = requests
    units = form_units(clients)
    adjusted = adjust_within(p_values, units)
    best = np.array([adjusted[units == unit].min() for unit in range(units.max() + 1)])
    ranks = np.arange(1, len(best) + 1)
    selected = int(ranks[len(best) * np.sort(best) / ranks <= rate].max(initial=0))
    expected = adjusted <= rate * selected / len(best)
    near = np.isclose(adjusted, rate * selected / len(best))
    assert ((q_values(p_values, 1.0, units) <= rate) == expected)[~near].all()


def test_pictures_from_clients_of_their_own_need_not_outweigh_all_requests() -> None:
    honest = np.linspace(0.02, 1, 800)
    attacks = np.full(8, 0.0019)
    p_values = np.concatenate([honest, attacks])
    clients = np.concatenate([np.arange(800) % 100, 100 + np.arange(8)])
    assert (q_values(p_values)[800:] > 0.1).all()
    q = q_values(p_values, 1.0, form_units(clients))
    assert (q[800:] <= 0.1).all()
    assert (q[:800] > 0.1).all()


def test_a_campaign_from_one_client_is_as_many_discoveries() -> None:
    p_values = np.concatenate([np.linspace(0.02, 1, 800), np.full(40, 0.002)])
    clients = np.concatenate([np.arange(800) % 200, np.full(40, 200)])
    assert (q_values(p_values, 1.0, form_units(clients))[800:] <= 0.1).all()


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_the_rate_holds_for_clients_whose_requests_are_odd_together(share: float) -> None:
    random, proportions = np.random.default_rng(5), []
    own = 2 * random.normal(size=250)
    for _ in range(150):
        calibration = np.sort(own[random.integers(250, size=1_500)] + random.normal(size=1_500))
        clients = random.integers(250, size=1_000)
        scores = own[clients] + random.normal(size=1_000)
        attacks = int(1_000 * share)
        scores[:attacks], clients[:attacks] = scores[:attacks] + 12, 250 + np.arange(attacks)
        higher = 1_500 - np.searchsorted(calibration, scores)
        lowest, units = np.full(1_000, 1 / 1_501), form_units(clients)
        chosen = select_outliers((1 + higher) / 1_501, lowest, 0.1, 0.01, 1_500, units).outliers
        false = chosen[attacks:].sum()
        proportions.append(false / max(1, chosen.sum()))
    # Three standard errors above what is stated.
    assert np.mean(proportions) <= 0.1 + 3 * np.std(proportions) / np.sqrt(150)
