"""The alarm budgets; settings read them, so nothing else is imported here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The largest share of requests on which one rule, and all together, may flag."""

    each: float = 0.005
    total: float = 0.01
