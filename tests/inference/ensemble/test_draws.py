"""What is drawn for an upload: repeatable with the secret, unforeseeable without."""

from itertools import product

from inference.ensemble.draws import Draws

DRAWS = Draws.keyed(b"secret")


def test_the_same_bytes_at_the_same_source_draw_the_same() -> None:
    again = Draws.keyed(b"secret")
    assert _number(DRAWS, "look", "aa", "model") == _number(again, "look", "aa", "model")


def test_every_part_of_a_draw_counts() -> None:
    parts = product((b"secret", b"other"), ("look", "tiles"), ("aa", "ab"), ("one", "two"))
    numbers = {_number(Draws.keyed(secret), *names) for secret, *names in parts}
    assert len(numbers) == 16


def test_the_secret_is_not_the_key() -> None:
    assert b"secret" not in DRAWS.key


def _number(draws: Draws, purpose: str, content_sha256: str, source: str) -> int:
    return draws.generator(purpose, content_sha256, source).integers(2**63).item()
