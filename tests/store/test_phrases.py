import pytest

from store.phrases import phrase_count, phrase_share


@pytest.mark.parametrize(
    ("number", "noun", "phrase"),
    [
        (0, "outlier", "0 outliers"),
        (1, "patch", "1 patch"),
        (2, "recurring patch", "2 recurring patches"),
    ],
)
def test_a_number_has_its_noun(number: int, noun: str, phrase: str) -> None:
    assert phrase_count(number, noun) == phrase


@pytest.mark.parametrize(
    ("share", "phrase"), [(0.125, "12.5 %"), (0.05, "5 %"), (1 / 3, "33.33 %"), (0.0, "0 %")]
)
def test_a_share_is_told_in_per_cent(share: float, phrase: str) -> None:
    assert phrase_share(share) == phrase
