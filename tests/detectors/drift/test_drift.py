"""A world that changes moves its senders one by one; who pushes moves the sum of the requests."""

import numpy as np
import pytest

from detectors.drift.drift import DriftKind, find_drift
from detectors.drift.windows import Window

NAMES = ("entropy_mean", "skin_share", "persons")


def _window(
    seed: int,
    *,
    networks: int = 100,
    each: int = 6,
    moved: float = 0.0,
    pushers: int = 0,
    pushed: int = 0,
    families: str = "own",
) -> Window:
    """Networks with habits of their own; ``moved`` shifts all, ``pushers`` send another kind."""
    random = np.random.default_rng(seed)
    habits = random.normal(moved, 1.0, (networks, len(NAMES)))
    rows = [habits.repeat(each, axis=0) + random.normal(0, 0.5, (networks * each, len(NAMES)))]
    names = [f"net-{place}" for place in range(networks) for _ in range(each)]
    rows.append(random.normal(6.0, 0.1, (pushers * pushed, len(NAMES))))
    names += [f"push-{place}" for place in range(pushers) for _ in range(pushed)]
    pictures = [f"picture-{place}" for place in range(networks * each)]
    pictures += [
        "one" if families == "one" else f"push-{place}" for place in range(pushers * pushed)
    ]
    return Window(np.vstack(rows), tuple(names), tuple(pictures))


@pytest.mark.parametrize("seed", range(10))
def test_the_same_world_has_not_drifted(seed: int) -> None:
    assert find_drift(_window(seed), _window(100 + seed), NAMES).kind is DriftKind.NONE


@pytest.mark.parametrize("seed", range(5))
def test_many_senders_that_move_are_a_world_that_changed(seed: int) -> None:
    drift = find_drift(_window(seed), _window(100 + seed, moved=1.5), NAMES)
    assert drift.kind is DriftKind.WORLD
    assert {shift.name for shift in drift.shifts} == set(NAMES)
    assert all(shift.is_higher and shift.same_way > 0.8 for shift in drift.shifts)
    assert all(shift.pushers == () for shift in drift.shifts)


@pytest.mark.parametrize("seed", range(5))
def test_few_senders_of_much_push(seed: int) -> None:
    drift = find_drift(_window(seed), _window(100 + seed, pushers=2, pushed=150), NAMES)
    assert drift.kind is DriftKind.PUSH
    assert all({*shift.pushers} <= {"push-0", "push-1"} for shift in drift.shifts)


@pytest.mark.parametrize("seed", range(5))
def test_one_family_from_many_addresses_pushes(seed: int) -> None:
    now = _window(100 + seed, pushers=20, pushed=15, families="one")
    drift = find_drift(_window(seed), now, NAMES)
    assert drift.kind is DriftKind.PUSH
    assert all(shift.pushers == ("one",) for shift in drift.shifts)


def test_the_furthest_comes_first() -> None:
    now = _window(1, moved=1.5)
    now.rows[:, 1] += 3
    drift = find_drift(_window(0), now, NAMES)
    assert drift.shifts[0].name == "skin_share"


def test_what_is_no_longer_measured_or_never_differs_is_no_drift() -> None:
    before, now = _window(0), _window(1)
    before.rows[:, 0] = now.rows[:, 0] = 3.0
    now.rows[:, 1] = np.nan
    assert find_drift(before, now, NAMES).kind is DriftKind.NONE


@pytest.mark.parametrize("few", [{"networks": 15, "each": 40}, {"networks": 60, "each": 3}])
def test_little_traffic_is_not_compared(few: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="too few"):
        find_drift(_window(0), _window(1, **few), NAMES)  # type: ignore[arg-type]
