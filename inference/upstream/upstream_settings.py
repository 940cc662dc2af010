"""Settings of the connection to an upstream."""

from enum import StrEnum

from pydantic import Field, field_validator

from inference.upstream.relay.address import AddressUnusable, UpstreamAddress, read_address
from inference.upstream.relay.limits import RelayLimits
from store.configuration.groups import Group


class SentHost(StrEnum):
    """Whose name the upstream finds in ``Host``."""

    CLIENT = "client"
    UPSTREAM = "upstream"


class UpstreamGroup(Group):
    """Which upstream is attached, and how long it may take."""

    upstream: str = ""
    """URL of the service that Maskwatch stands in front of, such as `http://127.0.0.1:5000`:
    scheme, host and port, no path and no password."""

    upstream_host: SentHost = SentHost.CLIENT
    """What the upstream finds in `Host`: the name that the `client` asked for, so that redirects
    and links lead back to Maskwatch, or the `upstream`'s own, if it serves several names."""

    upstream_connect_seconds: float = Field(5, gt=0, le=600, allow_inf_nan=False)
    """How long a connection to the upstream may take; then the answer is 504."""

    upstream_wait_seconds: float = Field(5, ge=0, le=600, allow_inf_nan=False)
    """How long a request waits for one of the connections to the upstream, while all are in use;
    then the answer is 503."""

    upstream_answer_seconds: float = Field(120, gt=0, le=86_400, allow_inf_nan=False)
    """How long the upstream may work on a request before it begins to answer; then the answer is
    504."""

    upstream_silence_seconds: float = Field(300, gt=0, le=86_400, allow_inf_nan=False)
    """How long the upstream may be silent within an answer; then the client's connection is closed.
    Streams of events need a sign of life more often than that."""

    upstream_idle_seconds: float = Field(2, ge=0, le=3600, allow_inf_nan=False)
    """How long a connection to the upstream is kept for the next request; make it shorter than the
    upstream's own limit."""

    max_upstream_connections: int = Field(100, ge=1, le=100_000)
    """Connections to the upstream that are open at the same time, streams and WebSockets
    included."""

    max_websocket_message_bytes: int = Field(16_000_000, ge=1_000, le=1_000_000_000)
    """Largest message of a WebSocket, in either direction; a larger one closes it with 1009. Each
    message is held in memory as a whole."""

    @field_validator("upstream")
    @classmethod
    def _check_upstream(cls, value: str) -> str:
        try:
            if value:
                read_address(value)
        except AddressUnusable as error:
            raise ValueError(str(error)) from None
        return value

    def upstream_address(self) -> UpstreamAddress:
        """Where the upstream listens.

        Raises:
            AddressUnusable: no upstream is named.
        """
        if not self.upstream:
            raise AddressUnusable("No upstream is named: set MASKWATCH_UPSTREAM to its URL.")
        return read_address(self.upstream)

    def relay_limits(self) -> RelayLimits:
        """What the upstream is given of time and connections."""
        return RelayLimits(
            connect_seconds=self.upstream_connect_seconds,
            wait_seconds=self.upstream_wait_seconds,
            answer_seconds=self.upstream_answer_seconds,
            silence_seconds=self.upstream_silence_seconds,
            idle_seconds=self.upstream_idle_seconds,
            max_connections=self.max_upstream_connections,
            max_message_bytes=self.max_websocket_message_bytes,
        )
