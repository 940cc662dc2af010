"""Learning a source from a sample, some of which is hostile."""

from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.baseline.asking import AskShares, is_face_missing
from detectors.baseline.baseline import Baseline
from detectors.baseline.baseline_text import from_json, to_json
from detectors.baseline.columns import Columns, cascade_columns, score_columns
from detectors.baseline.movement import find_largest_move, is_too_far
from detectors.baseline.networks import network_of_client
from detectors.baseline.sample import Caps, SampleRow, cap_rows
from detectors.baseline.source_fit import SourceFit, learn_source
from detectors.baseline.traffic_fit import measure_fit
from detectors.topology.topology_limits import bounds

DIGEST = "5" * 64


def _row(seed: int, client: str, oddness: float = 1.0, skin: float = 0.2) -> SampleRow:
    random = default_rng(seed)
    entropy, noise = random.uniform(0.05, 0.6), random.normal(0, 0.3, 6)
    features = {
        "colour_detail_tile": 4 * exp(noise[0]),
        "glance_tile_divergence": 0.05 * oddness * entropy * exp(noise[1]),
        "glance_withdrawn_share": 0.02 * oddness * entropy * exp(noise[2]),
        "glance_returned_person_share": 0.02 * oddness * entropy * exp(noise[4]),
        "js_consensus": 0.03 * oddness * entropy * exp(noise[3]),
        "foreground_share": (share := random.uniform(0.2, 0.5)),
        "entropy_mean": share * entropy,
        "glance_entropy": entropy,
        "entropy_foreground": entropy,
        "jpeg_blockiness": random.uniform(0.9, 1.3),
        "worst_skin_share": skin,
        "worst_trousers_gap": 0.02,
        "worst_faceless_hair": 0.0,
    }
    return SampleRow(client, str(seed), features)


def _honest(count: int, clients: int = 150, seed: int = 0) -> list[SampleRow]:
    return [_row(seed + place, f"ip:10.{place % clients}.0.1") for place in range(count)]


def _hostile(count: int, clients: int, oddness: float = 8.0) -> list[SampleRow]:
    return [
        _row(50_000 + place, f"ip:172.{place % clients}.0.1", oddness, skin=0.0)
        for place in range(count)
    ]


def _columns_of(rows: list[SampleRow]) -> Columns:
    return Columns([row.features for row in rows])


def _share(baseline: Baseline, rows: list[SampleRow], rate: float = 0.005) -> float:
    threshold = baseline.threshold(rate)
    scores = cascade_columns(baseline, _columns_of(rows))
    return float((scores >= threshold).mean())


def test_the_stated_share_of_other_clean_pictures_is_accused() -> None:
    learnt = learn_source(DIGEST, _honest(600))
    assert learnt.rows > 540
    assert _share(learnt.baseline, _honest(2_000, seed=5_000)) <= 0.015
    assert _share(learnt.baseline, _hostile(200, 20)) >= 0.95


@pytest.mark.parametrize(("share", "clients"), [(0.01, 1), (0.05, 1), (0.05, 50), (0.2, 50)])
def test_hostile_traffic_neither_blinds_nor_makes_it_nervous(share: float, clients: int) -> None:
    hostile = _hostile(round(600 * share), clients)
    learnt = learn_source(DIGEST, [*_honest(600 - len(hostile)), *hostile])
    assert _share(learnt.baseline, _hostile(200, 20)) >= 0.9
    assert _share(learnt.baseline, _honest(2_000, seed=5_000)) <= 0.03


@pytest.mark.parametrize("oddness", [2.5, 3.0, 4.0])
def test_a_fifth_of_faint_attacks_of_many_clients_is_told_from_the_rest(oddness: float) -> None:
    learnt = learn_source(DIGEST, [*_honest(480), *_hostile(120, 50, oddness)])
    assert _share(learnt.baseline, _hostile(400, 20, oddness)) >= 0.9
    assert _share(learnt.baseline, _honest(2_000, seed=5_000)) <= 0.01


@settings(max_examples=20)
@given(st.integers(0, 120), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_hostile_pictures_move_limits_within_their_bounds_only(
    count: int, skin: float, gap: float, hair: float
) -> None:
    rows = _honest(200)
    extreme = {
        "worst_skin_share": skin,
        "worst_trousers_gap": gap,
        "worst_faceless_hair": hair,
    }
    rows += [
        SampleRow(row.client, row.family, {**row.features, **extreme})
        for row in _hostile(count, 50)
    ]
    for name, value in learn_source(DIGEST, rows).baseline.limits.list_learnt().items():
        low, high = bounds(name)
        assert low <= value <= high


def _ask(learnt: SourceFit, rows: list[SampleRow]) -> float:
    """The share of rows that ask for every look."""
    baseline, limit = learnt.baseline, learnt.max_entropy or 0.0
    scores = score_columns(baseline, _columns_of(rows), first_look=True)
    asks: list[bool] = [
        score >= baseline.look_again
        or row.features["entropy_foreground"] > limit
        or is_face_missing(row.features)
        for row, score in zip(rows, scores.tolist(), strict=True)
    ]
    return sum(asks) / len(rows)


def _hide_face(row: SampleRow) -> SampleRow:
    return SampleRow(row.client, row.family, {**row.features, "faces_hidden": 1.0})


@pytest.mark.parametrize("faces", [0.0, 0.02])
def test_few_other_clean_pictures_ask_for_every_look(faces: float) -> None:
    def some_faces(rows: list[SampleRow]) -> list[SampleRow]:
        count = round(faces * len(rows))
        return [*map(_hide_face, rows[:count]), *rows[count:]]

    learnt = learn_source(DIGEST, some_faces(_honest(600)))
    assert 0.02 <= _ask(learnt, some_faces(_honest(2_000, seed=5_000))) <= 0.07
    assert _ask(learnt, _hostile(200, 20)) >= 0.95


def test_many_missing_faces_leave_the_others_their_share() -> None:
    shares = AskShares.of([_hide_face(row).features for row in _honest(100)])
    assert shares.odd + shares.unsure == pytest.approx(0.02)


@settings(max_examples=20)
@given(st.integers(0, 120), st.floats(1.0, 50.0))
def test_hostile_pictures_of_many_networks_hardly_move_who_asks(count: int, oddness: float) -> None:
    rows = _honest(600 - count)
    learnt = learn_source(DIGEST, [*rows, *_hostile(count, 50, oddness)])
    alone = learn_source(DIGEST, rows)
    assert learnt.baseline.look_again <= 2 * alone.baseline.look_again
    assert learnt.max_entropy is not None
    assert alone.max_entropy is not None
    assert learnt.max_entropy <= 2 * alone.max_entropy


def _sure(row: SampleRow, entropy: float) -> SampleRow:
    return SampleRow(row.client, row.family, {**row.features, "entropy_p95": entropy})


def _vary(rows: list[SampleRow]) -> list[SampleRow]:
    """With 95th percentiles of entropies around one."""
    return [_sure(row, exp(default_rng(int(row.family)).normal(0, 0.2))) for row in rows]


def test_about_one_parse_in_a_hundred_is_surer_than_the_limit() -> None:
    learnt = learn_source(DIGEST, _vary(_honest(600)))
    limit = learnt.baseline.sure_below
    assert limit is not None
    others = [row.features["entropy_p95"] < limit for row in _vary(_honest(2_000, seed=5_000))]
    assert 0.003 <= sum(others) / len(others) <= 0.03
    assert from_json(to_json(learnt.baseline)) == learnt.baseline
    assert learn_source(DIGEST, _honest(600)).baseline.sure_below is None


@pytest.mark.parametrize(("count", "least"), [(30, 0.2), (120, 0.05)])
def test_hostile_parses_move_what_is_too_sure_within_its_bound(count: int, least: float) -> None:
    hostile = [_sure(row, 0.001) for row in _hostile(count, 50, 1.0)]
    limit = learn_source(DIGEST, [*_vary(_honest(600 - count)), *hostile]).baseline.sure_below
    assert limit is not None
    assert least <= limit <= 0.7


def test_caps_hold_for_clients_networks_and_families() -> None:
    rows = [_row(place, f"ip:203.0.113.{place % 9}") for place in range(90)]
    assert len(cap_rows(rows, Caps(per_client=4, per_network=1_000, per_family=9))) == 36
    assert len(cap_rows(rows, Caps(per_client=4, per_network=20, per_family=9))) == 20
    same = [SampleRow(row.client, "one", row.features) for row in rows]
    assert len(cap_rows(same, Caps(per_client=9, per_network=90, per_family=2))) == 2


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("ip:198.51.100.77", "198.51.100.0/24"),
        ("ip:2001:db8:7::1", "2001:db8:7::/48"),
        ("key:shop", "key:shop"),
        ("unknown@10.0.0.1", "unknown@10.0.0.1"),
        ("ip:nonsense", "ip:nonsense"),
    ],
)
def test_neighbours_are_one_network(client: str, network: str) -> None:
    assert network_of_client(client) == network


def test_traffic_is_tested_over_clients() -> None:
    baseline = learn_source(DIGEST, _honest(600)).baseline
    fit = measure_fit(baseline, _honest(120, 60, seed=9_000))
    assert (fit.clients, fit.fits, fit.is_strange) == (60, True, False)
    strangers = [_row(place, f"ip:10.{place % 60}.0.1", oddness=4) for place in range(120)]
    assert measure_fit(baseline, strangers).is_strange
    flood = [_row(place, "ip:203.0.113.7", oddness=9) for place in range(500)]
    assert not measure_fit(baseline, [*_honest(120, 60, seed=9_000), *flood]).is_strange


def test_a_fifth_of_hostile_clients_puts_nothing_back() -> None:
    baseline = learn_source(DIGEST, _honest(600)).baseline
    mixed = [*_honest(240, 160, seed=9_000), *_hostile(60, 40)]
    assert not measure_fit(baseline, mixed).is_strange


def test_attacks_of_many_clients_put_nothing_back() -> None:
    baseline = learn_source(DIGEST, _honest(600)).baseline
    mixed = [*_honest(150, 150, seed=9_000), *_hostile(70, 70)]
    fit = measure_fit(baseline, mixed)
    assert fit.beyond > 0.3
    assert fit.crafted == pytest.approx(70 / 220, abs=0.03)
    assert not fit.is_strange


def test_traffic_that_is_called_crafted_for_the_most_part_is_strange() -> None:
    baseline = learn_source(DIGEST, _honest(600)).baseline
    fit = measure_fit(baseline, [*_honest(60, 60, seed=9_000), *_hostile(140, 140)])
    assert fit.crafted > 0.5
    assert fit.is_strange


def test_movement_is_measured_by_what_passes() -> None:
    rows = _honest(600)
    first = learn_source(DIGEST, rows).baseline
    second = learn_source(DIGEST, _honest(600, seed=3_000)).baseline
    wilder = learn_source(DIGEST, [_row(i, f"ip:10.{i % 150}.0.1", 3) for i in range(600)]).baseline
    features = [row.features for row in rows]
    _, step = find_largest_move(first, second, features, 0.005)
    assert 0.5 < step < 1.6
    name, far = find_largest_move(first, wilder, features, 0.005)
    assert far > 2
    assert name != "printed_colours"
    assert is_too_far(far, 1.0)
    assert is_too_far(1.0, far)
    assert not is_too_far(1.2, 1.9)
