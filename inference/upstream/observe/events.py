"""Reads the events of KServe's payload logger: CloudEvents 1.0 over HTTP, in binary mode."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self
from urllib.parse import unquote

from inference.bodies.json_document import read_small_document
from inference.refusals import BAD_EVENT, Refused
from inference.upload import Arrival
from inference.upstream.observe.origin import Origin
from inference.upstream.observe.pair_joiner import Half, Side
from inference.upstream.requests.headers import Headers

_SIDES = {
    "org.kubeflow.serving.inference.request": Side.REQUEST,
    "org.kubeflow.serving.inference.response": Side.RESPONSE,
}
# The id of an exchange may be the choice of whoever sent the request; its place is not.
_PLACE = ("ce-source", "ce-namespace", "ce-inferenceservicename", "ce-component", "ce-endpoint")
_FORWARDED_FOR = "x-forwarded-for"
_HEAD_LENGTH = "inference-header-content-length"
_MAX_TYPE_CHARACTERS = 1_000
_MAX_NAME_CHARACTERS = 200


def is_event(headers: Mapping[str, str]) -> bool:
    """Whether a request carries an event, in whichever mode."""
    media_type = headers.get("content-type", "")
    return "ce-type" in headers or media_type.startswith("application/cloudevents")


@dataclass(frozen=True)
class EventHead:
    """What the headers of an event say.

    Attributes:
        metadata: headers of the request that it is about, as far as the logger was told to hand
            them on (``--metadata-headers``), by small names.
    """

    side: Side
    key: bytes
    origin: Origin
    content_type: str
    metadata: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """Read the headers.

        Raises:
            Refused: it is no event of the payload logger, or not in binary mode.
        """
        side, exchange = _SIDES.get(headers.get("ce-type", "")), headers.get("ce-id")
        content_type = headers.get("content-type", "")
        is_too_long = len(content_type) > _MAX_TYPE_CHARACTERS
        if side is None or not exchange or headers.get("ce-specversion") != "1.0" or is_too_long:
            raise Refused(BAD_EVENT)
        place = [headers.get(name, "") for name in _PLACE]
        return cls(
            side,
            _hash([*place, exchange]),
            Origin(_hash(place).hex(), _name_place(*place)),
            content_type,
            _read_metadata(headers.get("ce-metadata", "")),
        )

    @property
    def forwarded_for(self) -> Sequence[str]:
        """Lines of ``X-Forwarded-For`` of the request that it is about."""
        return self.metadata.get(_FORWARDED_FOR, ())

    def build_half(self, arrival: Arrival, body: bytes) -> Half:
        """The half of an exchange that the event is."""
        return Half(self.side, self.key, arrival, self.origin, self._body_headers(), body)

    def _body_headers(self) -> Headers:
        """The metadata is that of the request in both events."""
        headers = [(b"content-type", self.content_type.encode("latin-1", "replace"))]
        if self.side is Side.REQUEST:
            lengths = self.metadata.get(_HEAD_LENGTH, ())
            headers += [(_HEAD_LENGTH.encode(), length[:20].encode()) for length in lengths]
        return headers


def _name_place(sender: str, *place: str) -> str:
    """Namespace, service, component and endpoint, as far as they are known; else who sends."""
    return ("/".join(filter(None, place)) or sender)[:_MAX_NAME_CHARACTERS]


def _hash(parts: Sequence[str]) -> bytes:
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def _read_metadata(text: str) -> Mapping[str, Sequence[str]]:
    """As JSON, with or without escapes of characters that headers should not have."""
    for form in (text, unquote(text)):
        try:
            metadata = read_small_document(form.encode())
        except (Refused, UnicodeEncodeError):
            continue
        if isinstance(metadata, dict):
            return {name.lower(): _list_texts(values) for name, values in metadata.items()}
    return {}


def _list_texts(values: object) -> list[str]:
    return [each for each in values if isinstance(each, str)] if isinstance(values, list) else []
