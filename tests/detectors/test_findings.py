import re

import pytest

from detectors.findings import RULES, rule_named


def test_every_rule_has_its_own_code_and_is_found_by_it() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert [rule_named(rule.code) for rule in RULES] == list(RULES)


def test_every_rule_is_a_sentence_with_places_in_both_catalogues() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[A-Z].*\.", rule.sentence), rule.code
        assert re.fullmatch(r"AML\.T\d{4}(\.\d{3})?", rule.atlas), rule.code
        assert re.fullmatch(r"ML\d{2}:2023", rule.owasp), rule.code


def test_codes_fit_into_the_store() -> None:
    assert max(len(rule.code) for rule in RULES) <= 64


def test_an_unknown_code_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        rule_named("moon_phase")
