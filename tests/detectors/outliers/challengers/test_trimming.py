import numpy as np

from detectors.outliers.challengers.trimming import choose_rows


def draw(seed: int, count: int = 800) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(5, (count, 12))


def draw_poison(seed: int, count: int) -> np.ndarray:
    """Many requests close together, far from all others."""
    return np.random.default_rng(seed).normal(0, 0.3, (count, 12)) + 15.0


def test_a_group_that_only_its_own_kind_makes_normal_is_left_out() -> None:
    for seed in range(20):
        kept = choose_rows(np.concatenate([draw(seed), draw_poison(seed, 40)]), seed)
        assert kept[:800].mean() > 0.95
        assert not kept[800:].any()


def draw_in_factors(seed: int, honest: int, poison: int) -> np.ndarray:
    """Features that move together, of which poison shifts eight, not all of it as far."""
    random = np.random.default_rng(seed)
    count = honest + poison
    rows = random.standard_t(5, (count, 6)) @ random.normal(size=(6, 40))
    rows += random.standard_t(5, (count, 40))
    rows[honest:, :8] += 12 * random.uniform(0.5, 1.5, (poison, 1))
    return rows


def test_a_loose_group_that_falls_into_several_clusters_is_left_out() -> None:
    kept = np.array([choose_rows(draw_in_factors(seed, 980, 20), seed) for seed in range(20)])
    assert kept[:, :980].mean() > 0.995
    assert kept[:, 980:].mean() < 0.25


def test_rare_rows_that_stand_alone_stay() -> None:
    for seed in range(20):
        far = np.random.default_rng(seed).normal(0, 1, (4, 12)) * 15.0
        kept = choose_rows(np.concatenate([draw(seed), far]), seed)
        assert kept[800:].all()


def test_no_more_than_a_tenth_is_left_out() -> None:
    kept = choose_rows(np.concatenate([draw(1), draw_poison(2, 200)]), 1)
    assert kept.mean() >= 0.9


def test_few_rows_equal_rows_and_a_constant_feature_are_all_kept() -> None:
    assert choose_rows(draw(1, 199), 1).all()
    assert choose_rows(np.ones((400, 3)), 1).all()
    constant = draw(1)
    constant[:, 0] = 7.0
    constant[:, 1] = np.nan
    assert choose_rows(constant, 1).mean() > 0.95


def test_the_same_seed_leaves_out_the_same() -> None:
    rows = np.concatenate([draw(1), draw_poison(2, 40)])
    np.testing.assert_array_equal(choose_rows(rows, 3), choose_rows(rows, 3))
