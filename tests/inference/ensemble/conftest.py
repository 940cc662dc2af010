"""A view of the shipped network that costs less."""

import pytest


@pytest.fixture
def small_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped network sees half of the pixels, where finer ones are not the subject."""
    module = "inference.segmenters.reference.segmenter"
    monkeypatch.setattr(f"{module}.WORKING_PIXELS", 2 * 96 * 144)
