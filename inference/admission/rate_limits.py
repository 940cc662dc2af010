"""How often a client may ask: a token bucket for each."""

from collections import OrderedDict
from itertools import islice

from store.requests.client_names import network_of

_MAX_CLIENTS = 50_000
_LOOKED_AT = 8
# Adding up parts of a second must not cost a client its last token.
_ROUNDING_SECONDS = 1e-6


class Buckets:
    """Token buckets that start full.

    A bucket is one number: the time at which it will be full again (the generic cell rate
    algorithm, ITU-T I.371). One that is full says no more than one that is not there.

    At most ``max_clients`` are kept. Of those that were not asked for longest, the fullest is
    forgotten first, and a refused client counts as asked for. So a flood of new names resets a
    bucket only if more than ``max_clients`` of them ask before its client asks again, which buys
    less than their own bursts do.
    """

    def __init__(self, per_second: float, burst: int, max_clients: int = _MAX_CLIENTS) -> None:
        self._per_second = per_second
        self._burst = burst
        self._max_clients = max_clients
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def spend(self, client: str, now: float) -> float:
        """Take a token of a client.

        Args:
            client: its name; clients of one IPv6 network share a bucket.
            now: monotonic time in seconds.

        Returns:
            0 if there was a token, else the seconds until there will be one. Always 0 where the
            rate is 0, which means no limit.
        """
        if not self._per_second:
            return 0.0
        name = network_of(client)
        full_at = max(now, self._full_at.pop(name, now))
        spent_at = full_at + 1 / self._per_second
        missing_seconds = spent_at - now - self._burst / self._per_second
        is_spent = missing_seconds <= _ROUNDING_SECONDS
        self._keep(name, spent_at if is_spent else full_at)
        return 0.0 if is_spent else missing_seconds

    def __len__(self) -> int:
        return len(self._full_at)

    def _keep(self, name: str, full_at: float) -> None:
        if len(self._full_at) >= self._max_clients:
            longest_unused = islice(self._full_at, _LOOKED_AT)
            del self._full_at[min(longest_unused, key=self._full_at.__getitem__)]
        self._full_at[name] = full_at
