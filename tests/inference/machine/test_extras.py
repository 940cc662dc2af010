"""A part whose packages are not installed says what to install."""

import pytest

from inference.machine.extras import ExtraMissing, require_extra


def test_a_missing_package_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(ExtraMissing) as caught:
        require_extra("m2fp", "The segmenter m2fp", ("json", "no_such_package"))
    assert "no_such_package" in str(caught.value)
    assert "json" not in str(caught.value)
    assert "pip install 'maskwatch[m2fp]'" in str(caught.value)


def test_what_is_installed_is_no_reason_to_stop() -> None:
    require_extra("m2fp", "The segmenter m2fp", ("json",))
