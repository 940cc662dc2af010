import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gate.decoder.limits import PictureLimits, Unacceptable

LIMITS = PictureLimits(
    max_pixels=100_000,
    min_side=8,
    max_side=1_000,
    max_ratio=20,
    max_expansion=100,
    free_bytes=30_000,
)
CODES = {"too_many_pixels", "side_too_long", "too_small", "extreme_ratio", "expands_too_much"}


def _code(width: int, height: int, file_bytes: int = 1_000_000) -> str:
    try:
        LIMITS.check(width, height, file_bytes)
    except Unacceptable as refused:
        return refused.code
    return ""


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((250, 400), ""),
        ((251, 400), "too_many_pixels"),
        ((1_000, 60), ""),
        ((1_001, 60), "side_too_long"),
        ((60, 1_001), "side_too_long"),
        ((8, 8), ""),
        ((7, 100), "too_small"),
        ((100, 7), "too_small"),
        ((200, 10), ""),
        ((201, 10), "extreme_ratio"),
        ((10, 201), "extreme_ratio"),
    ],
)
def test_each_bound_on_the_size_holds_up_to_itself(size: tuple[int, int], code: str) -> None:
    assert _code(*size) == code


@pytest.mark.parametrize(
    ("size", "file_bytes", "code"),
    [
        ((100, 100), 1, ""),  # 30,000 bytes are free
        ((100, 101), 303, ""),
        ((100, 101), 302, "expands_too_much"),
    ],
)
def test_a_large_picture_may_not_come_from_hardly_any_bytes(
    size: tuple[int, int], file_bytes: int, code: str
) -> None:
    assert _code(*size, file_bytes) == code


def test_the_default_lets_a_blank_picture_of_a_phone_through() -> None:
    PictureLimits().check(4_000, 3_000, 80_000)


@pytest.mark.parametrize("size", [(16_382, 3_628), (3_520, 14_000), (1_080, 16_384)])
def test_the_default_lets_panoramas_and_long_screenshots_of_phones_through(
    size: tuple[int, int],
) -> None:
    PictureLimits().check(*size, 1_500_000)


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(1, 100_000))
def test_any_size_passes_or_has_one_of_the_codes_whichever_way_it_lies(
    width: int, height: int, file_bytes: int
) -> None:
    code = _code(width, height, file_bytes)
    assert code in CODES | {""}
    assert _code(height, width, file_bytes) == code


@given(
    st.integers(8, 16_384),
    st.integers(8, 16_384),
    st.integers(100_000, 100_000_000),
    st.floats(1, 30),
    st.integers(1, 1_000),
)
def test_what_is_made_smaller_is_taken_in_the_service(
    width: int, height: int, most: int, ratio: float, min_side: int
) -> None:
    limits = PictureLimits(max_decoded_pixels=most, max_ratio=ratio, min_side=min_side)
    try:
        limits.check(width, height, 10**9)
    except Unacceptable:
        return
    times = limits.times_smaller(width, height)
    smaller = (-(-width // times), -(-height // times))
    assert smaller[0] * smaller[1] <= most
    limits.check_decoded(*smaller)
