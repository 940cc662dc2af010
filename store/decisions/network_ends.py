"""When decisions about networks end, found by a look-up for each length of prefix there is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from store.requests.client_names import address_of

_Prefix = tuple[int, int, int]


@dataclass(frozen=True)
class NetworkEnds:
    """Ends by network; a client costs one look-up for each length, however many networks there are.

    Attributes:
        ends: by version of IP, length of the prefix, and its bits as a number.
        shifts: by version of IP, the lengths that occur and how far an address is shifted for each.
    """

    ends: Mapping[_Prefix, datetime]
    shifts: Mapping[int, tuple[tuple[int, int], ...]]

    @classmethod
    def of(cls, networks: Iterable[tuple[str, datetime]]) -> "NetworkEnds":
        """Sort networks, as decisions write them, by length."""
        return cls._sort({_prefix_of(network): end for network, end in networks})

    def replace(self, changes: Iterable[tuple[str, datetime | None]]) -> "NetworkEnds":
        """The same with other ends of some networks, ``None`` for those that hold no more."""
        ends = dict(self.ends)
        for network, end in changes:
            prefix = _prefix_of(network)
            ends.pop(prefix, None)
            if end is not None:
                ends[prefix] = end
        return self._sort(ends)

    @classmethod
    def _sort(cls, ends: Mapping[_Prefix, datetime]) -> "NetworkEnds":
        lengths = {(version, length) for version, length, _ in ends}
        shifts = {
            version: tuple(
                (length, bits - length) for of, length in sorted(lengths) if of == version
            )
            for version, bits in ((4, 32), (6, 128))
        }
        return cls(ends, shifts)

    def holds(self, client: str, now: datetime) -> bool:
        """Whether one of the networks that a client is in has not ended."""
        address = address_of(client)
        if address is None:
            return False
        version, number = address.version, int(address)
        ends = (
            self.ends.get((version, length, number >> shift))
            for length, shift in self.shifts[version]
        )
        return any(end is not None and end > now for end in ends)


def _prefix_of(text: str) -> _Prefix:
    network = ip_network(text)
    shift = network.max_prefixlen - network.prefixlen
    return network.version, network.prefixlen, int(network.network_address) >> shift
