import re

import pytest

from detectors import rule_book
from detectors.findings import Rule, Severity
from detectors.rule_book import GATE_RULES, RULES, find_rule


def test_every_rule_has_its_own_code_and_is_found_by_it() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert [find_rule(rule.code) for rule in RULES] == list(RULES)


def test_every_rule_of_the_book_is_listed() -> None:
    written = [value for value in vars(rule_book).values() if isinstance(value, Rule)]
    assert len(written) == len(RULES)
    assert set(written) == set(RULES)


def test_rules_of_the_gate_come_first_and_none_of_them_refuses_in_any_mode() -> None:
    assert RULES[: len(GATE_RULES)] == GATE_RULES
    assert {rule.severity for rule in GATE_RULES} == {Severity.ODD, Severity.SUSPECT}


def test_what_depends_on_other_requests_never_refuses() -> None:
    of_the_parse = RULES[len(GATE_RULES) :]
    suspect = {rule.code for rule in of_the_parse if rule.severity is not Severity.BAD}
    assert suspect == {
        "adversarial_picture",
        "faceless_head",
        "headless_body",
        "no_person_found",
        "outlier_traffic",
        "probing_sequence",
        "skin_share_too_low",
        "trigger_suspected",
    }


def test_every_rule_is_a_sentence_with_places_in_both_catalogues() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[A-Z].*\.", rule.sentence), rule.code
        assert re.fullmatch(r"AML\.T\d{4}(\.\d{3})?", rule.atlas), rule.code
        assert re.fullmatch(r"ML\d{2}:2023", rule.owasp), rule.code


def test_codes_are_words_that_settings_and_store_can_hold() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", rule.code)
        assert len(rule.code) <= 64


@pytest.mark.parametrize("code", ["moon_phase", "", "POLYGLOT"])
def test_an_unknown_code_is_a_key_error(code: str) -> None:
    with pytest.raises(KeyError):
        find_rule(code)
