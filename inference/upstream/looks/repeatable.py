"""A request to an upstream that can be sent once more, with another picture in its place."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from starlette.types import Scope

from detectors.parsing import Image
from inference.upstream.answers.formats import AnnotatedImage, AnswerFormat
from inference.upstream.frames import Frame, lay_picture
from inference.upstream.presets.preset import Door, Preset
from inference.upstream.relay.forwarding import SentBody
from inference.upstream.requests.sent_request import SentRequest

Headers = list[tuple[bytes, bytes]]

NO_LOOKS = (
    "The service is not asked again, for at no door of the preset one answer is the whole parse: "
    "no picture is called crafted; the gate, the parse, traffic and near-duplicates judge alone."
)

# What says nothing of who asks.
_OF_NOBODY = frozenset((b"accept", b"accept-language", b"host", b"user-agent"))
# An answer in an encoding that nobody asked for is rare, and one that is not packed is read faster.
_NEVER_CARRIED = frozenset((b"accept-encoding",))
# Numbers of a tensor in JSON are held as lists: three channels, eight bytes each.
_TENSOR_PIXEL_BYTES = 24


@dataclass(frozen=True)
class Repeatable:
    """One request of a client, without its picture.

    Attributes:
        scope: of the request, with the headers that go along.
        form: how the upstream's answer is read.
        frame: how the upstream saw the client's picture.
        has_fixed_size: whether every picture has to have that one's size.
        size_bytes: memory that it takes.
    """

    scope: Scope
    sent: SentRequest
    form: AnswerFormat
    frame: Frame
    has_fixed_size: bool
    size_bytes: int

    def write(self, picture: Image) -> tuple[SentBody, Frame]:
        """The body with another picture in it, and how the upstream will see that.

        Always as PNG: JPEG would change each look once more.

        Args:
            picture: upright, RGB ``(H, W, 3)`` uint8; it lies as the client's does.
        """
        laid = lay_picture(picture, self.frame.orientation)
        if self.has_fixed_size:
            laid = cv2.resize(laid, (self.frame.width, self.frame.height)).astype(np.uint8)
        _, file = cv2.imencode(
            ".png", cv2.cvtColor(laid, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
        )
        body = self.sent.rebuild([file.tobytes()])
        frame = Frame(laid.shape[0], laid.shape[1], self.frame.orientation)
        return SentBody(body.data, body.content_type, body.headers), frame


def can_ask_again(preset: Preset) -> bool:
    """Whether any request of a preset can be sent again for further looks."""
    return any(map(_answers_alone, preset.doors))


def _answers_alone(door: Door) -> bool:
    """Whether one request holds the picture and its answer the parse.

    The parts of an annotated image are files, which further requests would have to fetch.
    """
    is_alone = door.answer is not None and not isinstance(door.answer, AnnotatedImage)
    return is_alone and door.part == "whole"


def find_repeatable(
    door: Door, scope: Scope, sent: SentRequest, frame: Frame, *, has_credentials: bool
) -> Repeatable | None:
    """What is kept of a request to ask once more; ``None`` if that cannot be done.

    Only a request whose answer is the parse of its one picture is sent again. One that is a part of
    several, or names a file of an earlier one, would change what the client has there.

    Args:
        has_credentials: whether what lets the client in goes along.
    """
    form = door.answer
    if form is None or not _answers_alone(door) or len(sent.uploads) != 1 or sent.paths:
        return None
    is_tensor = any(place.body == "tensors" for place in door.places)
    kept = ("type", "http_version", "scheme", "method", "path", "raw_path", "query_string")
    headers = _choose_headers(scope["headers"], has_credentials=has_credentials)
    # The client's address is left out: what the upstream counts of it is not used up by looks.
    reduced = {**{name: scope[name] for name in kept}, "headers": headers, "client": None}
    tensor_bytes = _TENSOR_PIXEL_BYTES * frame.height * frame.width
    size = tensor_bytes if is_tensor else len(sent.uploads[0].data)
    return Repeatable(reduced, sent, form, frame, is_tensor, size)


def _choose_headers(headers: Iterable[tuple[bytes, bytes]], *, has_credentials: bool) -> Headers:
    if has_credentials:
        return [pair for pair in headers if pair[0] not in _NEVER_CARRIED]
    return [pair for pair in headers if pair[0] in _OF_NOBODY]
