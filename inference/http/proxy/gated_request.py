"""A request with pictures: as it came, and as it goes on after the gate."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Send

from inference.admission.byte_budget import Share
from inference.proxying import Proxy
from inference.results.waiting import Waiting
from inference.upload import Arrival
from inference.upstream.presets.preset import Door
from inference.upstream.relay.forwarding import SentBody


@dataclass(frozen=True, eq=False)
class PictureRequest:
    """A request that comes through a door for pictures.

    Attributes:
        send: takes the answer to its client.
    """

    proxy: Proxy
    door: Door
    request: Request
    arrival: Arrival
    send: Send


@dataclass(frozen=True, eq=False)
class GatedRequest:
    """A request whose pictures the gate accepted, ready to go on.

    Attributes:
        body: goes on in place of the one that came.
        waiting: its pictures, whose answers are to be read; emptied where that is given up, since
            nobody else holds them.
        send: takes the answer to its client.
        share: of memory, for the answer.
    """

    proxy: Proxy
    request: Request
    body: SentBody
    waiting: list[Waiting]
    send: Send
    share: Share
