"""How many cores a parse gets."""

from collections.abc import Iterator

import cv2
import pytest
from structlog.testing import capture_logs
from threadpoolctl import threadpool_info, threadpool_limits

from inference.admission.admission_settings import default_concurrency, usable_cores
from inference.machine.cores import core_share, share_cores, shared_threads


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Leaves the process as it was."""
    before = cv2.getNumThreads()
    with threadpool_limits(user_api="blas"):
        yield
    cv2.setNumThreads(before)


def threads_of_products() -> set[int]:
    """How many threads each library for products of matrices may use."""
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_parses_at_the_same_time_share_the_cores() -> None:
    share_cores(1, {})
    assert cv2.getNumThreads() == core_share(1, {}) == usable_cores()
    share_cores(usable_cores() + 1, {})
    assert cv2.getNumThreads() == core_share(usable_cores() + 1, {}) == 1


def test_the_operators_word_holds() -> None:
    word = {"OMP_NUM_THREADS": "7"}
    share_cores(1, word)
    assert cv2.getNumThreads() == core_share(1, word) == shared_threads(3, word) == 7


def test_products_of_matrices_have_one_thread_but_for_the_operators_word() -> None:
    share_cores(1, {"OMP_NUM_THREADS": "2"})
    assert threads_of_products() == {2}
    share_cores(1, {})
    assert threads_of_products() == {1}


@pytest.mark.parametrize("word", ["", "0", "all", "-1"])
def test_a_word_that_is_no_number_of_threads_says_nothing(word: str) -> None:
    assert core_share(1, {"OMP_NUM_THREADS": word}) == usable_cores()
    assert shared_threads(1, {"OMP_NUM_THREADS": word}) == usable_cores()


def test_a_word_that_is_not_understood_is_named() -> None:
    with capture_logs() as logs:
        core_share(1, {"OMP_NUM_THREADS": "4,2"})
        core_share(1, {})
    assert [log["value"] for log in logs] == ["4,2"]


def test_parses_in_one_session_and_its_threads_are_as_many_as_the_cores() -> None:
    for parses in range(1, usable_cores() + 1):
        of_the_session = shared_threads(parses, {}) - 1
        assert parses + of_the_session == usable_cores()
    assert shared_threads(usable_cores() + 3, {}) == 1


def test_by_default_there_is_a_core_for_each_parse() -> None:
    assert 1 <= default_concurrency() <= min(4, usable_cores())
