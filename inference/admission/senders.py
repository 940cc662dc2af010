"""Names whoever sends a request, and tells of proxies that name nobody."""

from collections.abc import Sequence

import structlog

from inference.admission.forwarded import (
    read_hop,
    split_forwarded,
    split_forwarded_for,
)
from inference.admission.identity import name_address
from inference.metrics import Metrics
from store.configuration.network_groups import ForwardedHeader, ProxiesGroup
from store.decisions.protected import is_trusted, is_unknown, name_unknown
from store.requests.client_names import read_address

_log = structlog.get_logger(__name__)
# Whoever comes under ever new addresses shall not fill the memory.
_MAX_REPORTED = 256


class Senders:
    """Reads the header that trusted proxies write; what it cannot read is counted and logged once.

    Two proxies make all their visitors one client, and are counted as well: a private address that
    forwards without being trusted, and a trusted one that writes no header.
    """

    def __init__(self, proxies: ProxiesGroup, metrics: Metrics) -> None:
        self._trusted = proxies.trusted_proxies
        self._header = proxies.forwarded_header
        self._metrics = metrics
        self._reported: set[str] = set()

    def name_sender(self, peer: str, forwarded_for: Sequence[str], forwarded: Sequence[str]) -> str:
        """The name of the address that a request comes from.

        Args:
            peer: the address at the other end of the connection.
            forwarded_for: lines of ``X-Forwarded-For``.
            forwarded: lines of ``Forwarded``.
        """
        hops = self._read_hops(forwarded_for, forwarded)
        name = name_address(peer, hops, self._trusted)
        if is_unknown(name):
            self._tell_unknown(name, "a trusted proxy names its client in no known form")
        elif not hops and self._is_trusted(peer):
            self._metrics.silent_proxies.inc()
            self._report(
                name, "silent proxy", "let it name its clients; see MASKWATCH_FORWARDED_HEADER"
            )
        elif hops and self._is_forgotten(peer):
            self._metrics.untrusted_proxies.inc()
            self._report(
                name, "untrusted proxy", "add it to MASKWATCH_TRUSTED_PROXIES if it is yours"
            )
        return name

    def name_forwarded(self, forwarded_for: Sequence[str], reporter: str) -> str:
        """The name of whoever sent a request that somebody else tells of.

        Args:
            forwarded_for: its lines of ``X-Forwarded-For``. The last entry is that of the proxy
                nearest to the service; those before it count as far as proxies are trusted.
            reporter: who tells of it; names those whom nobody can tell apart.
        """
        hops = split_forwarded_for(forwarded_for)
        address = read_hop(hops.pop()) if hops else None
        if address is None:
            name = name_unknown(reporter)
            self._tell_unknown(
                name, "let the reporter name it: `client`, or a header (--metadata-headers)"
            )
            return name
        return name_address(str(address), hops, self._trusted)

    def _read_hops(self, forwarded_for: Sequence[str], forwarded: Sequence[str]) -> list[str]:
        hops = split_forwarded_for(forwarded_for)
        if self._header is ForwardedHeader.FORWARDED_FOR:
            return hops
        if self._header is ForwardedHeader.AUTO and hops:
            return hops
        return split_forwarded(forwarded)

    def _is_trusted(self, peer: str) -> bool:
        address = read_address(peer)
        return address is not None and is_trusted(address, self._trusted)

    def _is_forgotten(self, peer: str) -> bool:
        address = read_address(peer)
        return address is not None and address.is_private and not is_trusted(address, self._trusted)

    def _tell_unknown(self, name: str, advice: str) -> None:
        self._metrics.unreadable_senders.inc()
        self._report(name, "unreadable sender", advice)

    def _report(self, name: str, event: str, advice: str) -> None:
        if name not in self._reported and len(self._reported) < _MAX_REPORTED:
            self._reported.add(name)
            _log.warning(event, sender=name, advice=advice)
