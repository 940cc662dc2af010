"""Signatures of drawn prints: near for the same print, far for another, exact as text."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.parsing import Image
from detectors.patch_signature import Signature, SignatureError

SIGNATURES = st.builds(
    Signature,
    st.integers(0, 2**63 - 1),
    st.lists(st.integers(0, 15), min_size=48, max_size=48).map(tuple),
)


def print_of(seed: int, side: int = 96) -> Image:
    """Random blocks of colour."""
    blocks = default_rng(seed).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return cv2.resize(blocks, (side, side), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


def test_the_same_print_in_other_light_and_size_is_near_and_another_is_far() -> None:
    signature = Signature.of(print_of(1))
    dim = (print_of(1, 48) * 0.6 + 20).astype(np.uint8)
    assert signature.distance(Signature.of(dim)) < 0.1
    others = [signature.distance(Signature.of(print_of(seed))) for seed in range(2, 12)]
    assert min(others) > 0.15


def test_distance_is_none_to_itself_and_the_same_both_ways() -> None:
    first, second = Signature.of(print_of(1)), Signature.of(print_of(2))
    assert first.distance(first) == 0
    assert first.distance(second) == second.distance(first) <= 1


@given(SIGNATURES)
def test_text_holds_a_signature_exactly(signature: Signature) -> None:
    assert Signature.from_text(signature.to_text()) == signature


@pytest.mark.parametrize(
    "text",
    [
        "",
        "patch1",
        "patch2:" + "0" * 16 + ":" + "0" * 48,
        "patch1:" + "0" * 15 + ":" + "0" * 48,
        "patch1:" + "0" * 16 + ":" + "0" * 47,
        "patch1:" + "g" * 16 + ":" + "0" * 48,
        "patch1:" + "f" * 16 + ":" + "0" * 48,
        "patch1:" + "0" * 16 + ":" + "0" * 48 + ":",
        "patch1:" + "A" * 16 + ":" + "0" * 48,
    ],
)
def test_other_texts_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(SignatureError, match=r"no signature of a patch.*\.$"):
        Signature.from_text(text)


@given(st.text())
def test_any_other_text_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(SignatureError):
        Signature.from_text(text)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (200, 3)])
def test_a_patch_of_any_size_has_a_signature(size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 80, np.uint8)
    assert Signature.from_text(Signature.of(flat).to_text()) == Signature.of(flat)
