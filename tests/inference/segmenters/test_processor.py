"""What a processor says of itself, and the precision that follows from it."""

from collections.abc import Callable

import pytest

from inference.segmenters.choice import Precision
from inference.segmenters.processor import (
    has_bfloat16_units,
    read_processor_flags,
    resolve_precision,
)

Claim = Callable[[str], None]


@pytest.mark.parametrize(
    ("line", "precision"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16", Precision.BFLOAT16),
        ("flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile", Precision.BFLOAT16),
        ("flags\t\t: fpu avx2 avx512f amx_tile", Precision.FLOAT32),
        ("Features\t: fp asimd sve bf16", Precision.BFLOAT16),
        ("Features\t: fp asimd sve", Precision.FLOAT32),
        ("isa\t\t: rv64imafdc", Precision.FLOAT32),
    ],
)
def test_auto_is_bfloat16_where_there_are_units(
    claim_processor: Claim, line: str, precision: Precision
) -> None:
    claim_processor(line)
    assert resolve_precision(Precision.AUTO) is precision
    assert has_bfloat16_units() is (precision is Precision.BFLOAT16)


@pytest.mark.parametrize(
    ("bound", "precision"),
    [
        ("AVX2", Precision.FLOAT32),
        ("avx512_core_vnni", Precision.FLOAT32),
        ("AVX512_CORE_BF16", Precision.BFLOAT16),
        ("DEFAULT", Precision.BFLOAT16),
    ],
)
def test_units_that_somebody_turned_off_are_none(
    claim_processor: Claim, monkeypatch: pytest.MonkeyPatch, bound: str, precision: Precision
) -> None:
    claim_processor("flags : avx2 avx512_bf16 amx_bf16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", bound)
    assert resolve_precision(Precision.AUTO) is precision


def test_what_is_asked_for_is_taken_whatever_the_processor(claim_processor: Claim) -> None:
    for line in ("flags : avx2", "flags : amx_bf16"):
        claim_processor(line)
        assert resolve_precision(Precision.FLOAT32) is Precision.FLOAT32
        assert resolve_precision(Precision.BFLOAT16) is Precision.BFLOAT16


@pytest.mark.usefixtures("claim_processor")
def test_a_system_that_says_nothing_has_no_flags() -> None:
    assert read_processor_flags() == frozenset()
    assert resolve_precision(Precision.AUTO) is Precision.FLOAT32


def test_flags_come_without_the_name_of_their_line(claim_processor: Claim) -> None:
    claim_processor("flags\t\t: sse2 avx2")
    assert read_processor_flags() == {"sse2", "avx2"}
