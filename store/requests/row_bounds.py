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
    """How many rows a matrix has at most, in all and of one sender: nobody can buy it.

    Attributes:
        per_family: of unusual requests that belong together, and of pictures that look alike,
            whoever sent them.
    """

    per_client: int
    per_network: int
    per_family: int
    most: int

    def choose(self, rows: Iterable[Any], left_out: LeftOut) -> list[tuple[Any, ...]]:
        """The first rows within the bounds, in their order.

        Args:
            rows: with ``id``, ``client``, ``family`` and ``picture``; ``None`` is of neither.
        """
        counts: Counter[tuple[str, object]] = Counter()
        chosen: list[tuple[Any, ...]] = []
        for row in rows:
            if len(chosen) == self.most:
                break
            shares = self._list_shares(row)
            if row.id in left_out.keys or left_out.is_blocked(row.client):
                continue
            if all(counts[who] < most for who, most in shares.items()):
                counts.update(shares.keys())
                chosen.append(tuple(row))
        return chosen

    def _list_shares(self, row: Any) -> dict[tuple[str, object], int]:
        """What a row is of, and how many rows are taken of that."""
        shares: dict[tuple[str, object], int] = {
            ("client", row.client): self.per_client,
            ("network", network_of_client(row.client)): self.per_network,
        }
        if row.family is not None:
            shares["family", row.family] = self.per_family
        if row.picture is not None:
            shares["picture", row.picture] = self.per_family
        return shares
