"""What the upstream is told about the client and the way to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from secrets import token_hex

from starlette.types import Scope

from inference.upstream.relay.address import UpstreamAddress
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.headers import (
    OF_SENT_BODY,
    Headers,
    ask_readable,
    find_value,
    is_disguised,
    is_forwarding,
    keep_end_to_end,
    leave_out,
)
from store.configuration.network_groups import Network
from store.decisions.protected import is_trusted

_ENCRYPTED = ("https", "wss")
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class SentBody:
    """A body that is sent instead of the client's.

    Attributes:
        headers: further ones, in place of the client's of the same names.
    """

    data: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Forwarding:
    """Turns the headers of a client's request into those for the upstream.

    The token in ``Via`` is drawn anew for every process: a request that carries it has been here.
    """

    def __init__(
        self,
        address: UpstreamAddress,
        trusted_proxies: Sequence[Network] = (),
        *,
        keeps_host: bool = True,
    ) -> None:
        self._authority = address.authority.encode("ascii")
        self._trusted = trusted_proxies
        self._keeps_host = keeps_host
        self._token = f"maskwatch-{token_hex(6)}".encode()

    def check(self, scope: Scope) -> None:
        """Let a request through that can be passed on.

        Raises:
            UpstreamFault: ``loop`` or ``tunnel``.
        """
        if any(name == b"via" and self._token in value for name, value in scope["headers"]):
            raise UpstreamFault(FaultKind.LOOP, "The upstream leads back to Maskwatch.")
        if scope.get("method") == "CONNECT":
            raise UpstreamFault(FaultKind.TUNNEL, "Tunnels are not passed on.")

    def write_headers(self, scope: Scope, body: SentBody | None = None) -> Headers:
        """The headers for the upstream, those of the framing included."""
        sent: Headers = scope["headers"]
        headers = [pair for pair in keep_end_to_end(sent) if not is_disguised(pair[0])]
        if not self._is_from_proxy(scope):
            headers = [pair for pair in headers if not is_forwarding(pair[0])]
        headers = self._add_host(headers)
        headers += self._describe_client(scope, headers)
        return headers + _copy_chunked(sent) if body is None else _replace_body(headers, body)

    def _is_from_proxy(self, scope: Scope) -> bool:
        if not self._trusted:
            return False
        try:
            return is_trusted(ip_address(_peer(scope)), self._trusted)
        except ValueError:
            return False

    def _add_host(self, headers: Headers) -> Headers:
        if self._keeps_host and find_value(headers, b"host"):
            return headers
        return [(b"host", self._authority), *leave_out(headers, {b"host"})]

    def _describe_client(self, scope: Scope, headers: Headers) -> Headers:
        """``X-Forwarded-*``, ``Forwarded`` and ``Via``, each in a line behind those of others."""
        peer, host = _peer(scope), find_value(scope["headers"], b"host")
        scheme = "https" if scope["scheme"] in _ENCRYPTED else "http"
        own = {b"x-forwarded-proto": scheme, b"x-forwarded-host": host}
        known = {name for name, _ in headers}
        return [
            (b"x-forwarded-for", peer.encode("latin-1")),
            *(
                (name, text.encode("latin-1"))
                for name, text in own.items()
                if text and name not in known
            ),
            (b"forwarded", _write_forwarded(peer, host, scheme).encode("latin-1")),
            (b"via", scope.get("http_version", "1.1").encode("ascii") + b" " + self._token),
        ]


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else _UNKNOWN


def _write_forwarded(peer: str, host: str, scheme: str) -> str:
    """An element of RFC 7239.

    >>> _write_forwarded("2001:db8::1", "a.example:80", "http")
    'for="[2001:db8::1]";host="a.example:80";proto=http'
    """
    node = f'"[{peer}]"' if ":" in peer else peer
    escaped = host.replace("\\", "\\\\").replace('"', '\\"')
    parts = (f"for={node}", f'host="{escaped}"' if host else "", f"proto={scheme}")
    return ";".join(filter(None, parts))


def _copy_chunked(sent: Iterable[tuple[bytes, bytes]]) -> Headers:
    is_chunked = any(name == b"transfer-encoding" for name, _ in sent)
    return [(b"transfer-encoding", b"chunked")] if is_chunked else []


def _replace_body(headers: Headers, body: SentBody) -> Headers:
    own = [
        (b"content-type", body.content_type.encode("latin-1")),
        (b"content-length", str(len(body.data)).encode("ascii")),
    ]
    more = [
        (name.lower().encode("ascii"), value.encode("latin-1"))
        for name, value in body.headers.items()
    ]
    kept = leave_out(headers, OF_SENT_BODY | {name for name, _ in more})
    return ask_readable(kept) + own + more
