"""Who was in the past that is gone through, and what a result says of it."""

from pathlib import Path

from jobs.backtest.backtest import Result
from jobs.backtest.run import Wish
from jobs.backtest.tallies import Count, Side
from tests.jobs.backtest.past import Arrival

ATTACKER, HONEST = "ip:198.51.100.7", "ip:203.0.113.9"
SEARCH = [Arrival(61 + 20 * number, ATTACKER, "probing_sequence") for number in range(8)]


def count(result: Result, what: Count) -> tuple[int, ...]:
    """Was, would, new and gone."""
    return tuple(result.tallies.total[what, side] for side in Side)


def notes(result: Result) -> str:
    return "\n".join(result.facts.list_sentences(result.stretch))


def write_policy(folder: Path, toml: str) -> Wish:
    file = folder / "policy.toml"
    file.write_text(toml)
    return Wish(policy=file)
