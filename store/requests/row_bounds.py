"""How much of what one sender sent a model may learn from."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from detectors.baseline.networks import network_of_client


def block_nobody(_client: str) -> bool:
    """Nobody is blocked."""
    return False


@dataclass(frozen=True)
class LeftOut:
    """What a model does not learn from, however few there are of it.

    Attributes:
        keys: keys of requests.
        is_blocked: whether a client is.
    """

    keys: Collection[int] = ()
    is_blocked: Callable[[str], bool] = block_nobody


NOTHING = LeftOut()


@dataclass(frozen=True)
class Bounds:
    """How many rows a matrix has at most, in all and of one sender: nobody can buy it."""

    per_client: int
    per_network: int
    most: int

    def choose(self, rows: Iterable[Any], left_out: LeftOut) -> list[tuple[Any, ...]]:
        """The first rows within the bounds, in their order.

        A bound on something else, as on families, is one more pair: what a row is of, and how many.
        """
        counts: Counter[tuple[str, str]] = Counter()
        chosen: list[tuple[Any, ...]] = []
        for row in rows:
            if len(chosen) == self.most:
                break
            shares = {
                ("client", row.client): self.per_client,
                ("network", network_of_client(row.client)): self.per_network,
            }
            if row.id in left_out.keys or left_out.is_blocked(row.client):
                continue
            if all(counts[who] < most for who, most in shares.items()):
                counts.update(shares.keys())
                chosen.append(tuple(row))
        return chosen
