"""How long an upstream may take, and how much of it is used at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RelayLimits:
    """What one request may wait for, and what all of them together may use.

    Attributes:
        connect_seconds: until a connection stands, TLS included.
        wait_seconds: for one of the connections, while all are in use.
        answer_seconds: from the last byte that went up until the head of the answer.
        silence_seconds: between two pieces of an answer.
        idle_seconds: for which a connection waits for the next request.
        max_connections: to the upstream, WebSockets included.
        max_message_bytes: of one WebSocket message.
    """

    connect_seconds: float
    wait_seconds: float
    answer_seconds: float
    silence_seconds: float
    idle_seconds: float
    max_connections: int
    max_message_bytes: int
