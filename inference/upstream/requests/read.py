"""Reads a request at a door: which reader takes its body."""

from inference.bodies.json_document import MEDIA_TYPE as JSON
from inference.bodies.json_document import read_document
from inference.refusals import NOT_JSON, TOO_MANY_BYTES, UNKNOWN_BODY, UNREADABLE_TENSOR, Refused
from inference.upstream.presets.preset import Door, PicturePlace
from inference.upstream.requests.form_body import read_form
from inference.upstream.requests.form_parts import MEDIA_TYPE as FORM
from inference.upstream.requests.headers import Headers, read_content_type, read_number
from inference.upstream.requests.json_body import read_json
from inference.upstream.requests.raw_body import read_raw
from inference.upstream.requests.sent_request import RequestLimits, SentRequest
from inference.upstream.requests.tensors.tensor_v1 import read_instances
from inference.upstream.requests.tensors.tensor_v2 import HEAD_LENGTH, read_inputs

# Reading JSON holds up all threads: so many values take about a quarter of a second. Pixels of
# 640 x 480 fit; larger pictures come as files, or behind the JSON.
_MOST_MARKS = {b",": 1_500_000, b"[": 400_000, b"{": 100_000}


def read_request(door: Door, headers: Headers, body: bytes, limits: RequestLimits) -> SentRequest:
    """The pictures of a request, and what its body is built anew from. It takes a thread's time.

    Args:
        door: one for pictures.
        headers: names in any case, values as they were sent.

    Raises:
        Refused: the body is of another kind than the door takes, could be read in two ways, holds
            pictures elsewhere, or an address instead of one.
    """
    media_type, parameters = read_content_type(headers)
    places, head_length = _choose_places(door, headers, media_type), _read_head_length(headers)
    kind = places[0].body
    if kind == "form":
        return read_form(places, parameters.get("boundary", ""), body, limits)
    if kind == "json":
        return read_json(places, body, limits)
    if kind == "tensors":
        return _read_tensors(places[0], head_length, body, limits)
    return read_raw(media_type, body, limits)


def count_body_bytes(door: Door, headers: Headers, limits: RequestLimits) -> int:
    """How many bytes a body of its kind may have that is not refused by the size of its pictures.

    Raises:
        Refused: the door takes no body of this kind.
    """
    places = _choose_places(door, headers, read_content_type(headers)[0])
    pictures = max(place.max_pictures for place in places) * limits.max_picture_bytes
    is_text = any(place.body != "raw" and place.coding != "raw" for place in places)
    # Four characters stand for three bytes, and some clients break lines or escape slashes.
    return (pictures * 3 // 2 if is_text else pictures) + limits.max_text_bytes


def _choose_places(door: Door, headers: Headers, media_type: str) -> list[PicturePlace]:
    """The places for pictures in a body of this kind."""
    kind = _choose_kind(door, media_type, is_split=_read_head_length(headers) is not None)
    places = [place for place in door.places if place.body == kind]
    if not places:
        raise Refused(UNKNOWN_BODY)
    return places


def _choose_kind(door: Door, media_type: str, *, is_split: bool) -> str:
    if is_split:
        return "tensors"
    if media_type == FORM:
        return "form"
    if media_type == JSON:
        has_tensors = any(place.body == "tensors" for place in door.places)
        return "tensors" if has_tensors else "json"
    return "raw"


def _read_head_length(headers: Headers) -> int | None:
    try:
        return read_number(headers, HEAD_LENGTH.encode())
    except ValueError:
        raise Refused(UNREADABLE_TENSOR) from None


def _read_tensors(
    place: PicturePlace, head_length: int | None, body: bytes, limits: RequestLimits
) -> SentRequest:
    if head_length is not None and head_length > len(body):
        raise Refused(UNREADABLE_TENSOR)
    tail = None if head_length is None else body[head_length:]
    head = body[:head_length]
    if any(head.count(mark) > most for mark, most in _MOST_MARKS.items()):
        raise Refused(UNREADABLE_TENSOR)
    sent = _read_protocol(place, read_document(head), tail, limits)
    if any(len(upload.data) > limits.max_picture_bytes for upload in sent.uploads):
        raise Refused(TOO_MANY_BYTES)
    return sent


def _read_protocol(
    place: PicturePlace, document: object, tail: bytes | None, limits: RequestLimits
) -> SentRequest:
    if not isinstance(document, dict) or ("inputs" in document) is ("instances" in document):
        raise Refused(NOT_JSON)
    if "inputs" in document:
        return read_inputs(place, document, tail, limits)
    if tail is not None:
        raise Refused(UNREADABLE_TENSOR)
    return read_instances(place, document, limits)
