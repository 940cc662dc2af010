"""What can be wrong with an upstream before a client was sent anything."""

from enum import StrEnum
from http import HTTPStatus

from detectors.errors import MaskwatchError


class FaultKind(StrEnum):
    """Why there is no answer to pass on."""

    REFUSED = "refused"
    """No connection: nobody listens, the name is unknown, or TLS fails."""

    TIMEOUT = "timeout"
    """The upstream was silent for longer than the settings allow."""

    BROKEN = "broken"
    """The upstream closed the connection before its answer."""

    BAD_ANSWER = "bad_answer"
    """What came is no HTTP answer that can be passed on."""

    TOO_LARGE = "too_large"
    """An answer that was to be read whole is larger than the caller allows."""

    FULL = "full"
    """All connections to the upstream are in use."""

    LOOP = "loop"
    """The request has been here before: the upstream leads back to Maskwatch."""

    TUNNEL = "tunnel"
    """The client asked for a tunnel (``CONNECT``)."""

    @property
    def status(self) -> HTTPStatus:
        """What the client is answered."""
        return _STATUS.get(self, HTTPStatus.BAD_GATEWAY)


_STATUS = {
    FaultKind.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    FaultKind.FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultKind.LOOP: HTTPStatus.LOOP_DETECTED,
    FaultKind.TUNNEL: HTTPStatus.NOT_IMPLEMENTED,
}


class UpstreamFault(MaskwatchError):
    """There is no answer; nothing was sent to the client yet."""

    def __init__(self, kind: FaultKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
